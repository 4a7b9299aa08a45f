/*
 * Marks what the library exports. Everything else is hidden, so that only names that start with
 * `armi_` can ever clash.
 */
#ifndef ARMILLARIA_EXPORT_H
#define ARMILLARIA_EXPORT_H

#if defined(__GNUC__)
#define ARMI_API          __attribute__((visibility("default")))
#define ARMI_MUST_USE     __attribute__((warn_unused_result))
#define ARMI_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define ARMI_API
#define ARMI_MUST_USE
#define ARMI_PRINTF(f, a)
#endif

#endif
