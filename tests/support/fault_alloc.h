/*
 * Makes the n-th allocation of the library fail, and counts what is live.
 */
#ifndef ARMI_FAULT_ALLOC_H
#define ARMI_FAULT_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* From here on the n-th allocation (1 = the next) fails, once or from then on. 0 = none fails. */
void fault_alloc_begin(size_t n, bool persistent);
/* Between begin and end: the n-th allocation from here fails, once. Counting of what is live goes on. */
void fault_alloc_arm(size_t n);
/* Restores the default allocator. Whether a fault fired. Fails the test if blocks are still live. */
bool fault_alloc_end(void);
size_t fault_alloc_live(void);

#endif
