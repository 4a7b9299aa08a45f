#include "predicate/predicate.h"
enum armi_status armi_predicate_compile(const char *where, const struct armi_field *schema,
                                        struct armi_predicate **out, struct armi_error *err)
{
    (void)where; (void)schema; (void)out;
    return armi_error_set(err, ARMI_UNSUPPORTED, "where");
}
void armi_predicate_free(struct armi_predicate *predicate) { (void)predicate; }
const size_t *armi_predicate_columns(const struct armi_predicate *predicate, size_t *count) { (void)predicate; *count = 0; return NULL; }
enum armi_status armi_predicate_match(const struct armi_predicate *predicate,
                                      const struct armi_array *columns, int64_t rows,
                                      uint8_t *keep, struct armi_error *err) { (void)predicate;(void)columns;(void)rows;(void)keep;(void)err; return ARMI_OK; }
bool armi_predicate_may_match(const struct armi_predicate *predicate,
                              const struct armi_predicate_bounds *bounds) { (void)predicate;(void)bounds; return true; }
