/*
 * `where`: the row predicate, one small language everywhere.
 *
 *     or, and, not, ( )
 *     = == != <> < <= > >=      [not] in (…)      [not] between … and …
 *     is [not] null             [not] like 'a%_'
 *     columns bare or "quoted", nested as a.b
 *     literals: 12  -3  1.5  1e-3  'text'  true false null  date '2013-01-01'
 *               timestamp '2013-01-01 05:15:00'  x'00ff'
 *
 * SQL's three-valued logic: a row is kept where the predicate is true. Numbers compare by
 * value across types, exactly. NaN sorts above every number and equals itself; -0.0 equals
 * 0.0. Comparing what cannot be compared is an error that names the column and both types.
 */
#ifndef ARMILLARIA_PREDICATE_H
#define ARMILLARIA_PREDICATE_H

#include <armillaria/arrow_abi.h>
#include <armillaria/error.h>
#include <armillaria/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Checks `where` against a schema: ARMI_OK, or ARMI_INVALID with the place ("where: column
 * 14: …"), or ARMI_NOT_FOUND for a column.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_predicate_check(const char *where, const struct ArrowSchema *schema,
                     struct armi_error *err);

/*
 * Evaluates `where` over a struct array: *bitmap receives (length + 7) / 8 bytes, LSB first, 1
 * = keep. Neither schema nor array is moved.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_predicate_evaluate(const char *where, const struct ArrowSchema *schema,
                        const struct ArrowArray *array, unsigned char *bitmap,
                        struct armi_error *err);

#ifdef __cplusplus
}
#endif

#endif
