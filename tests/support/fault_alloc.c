#include "fault_alloc.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "test.h"

static atomic_size_t calls, live;
static size_t fail_at;
static bool fail_on;
static atomic_bool fired;

static void *fault_alloc(void *ctx, size_t size, size_t alignment)
{
    (void)ctx;
    size_t n = atomic_fetch_add(&calls, 1) + 1;
    if (fail_at != 0 && (n == fail_at || (fail_on && n > fail_at))) {
        atomic_store(&fired, true);
        return NULL;
    }
    void *ptr = NULL;
    if (posix_memalign(&ptr, alignment, size) != 0)
        return NULL;
    atomic_fetch_add(&live, 1);
    return ptr;
}

static void fault_free(void *ctx, void *ptr)
{
    (void)ctx;
    atomic_fetch_sub(&live, 1);
    free(ptr);
}

void fault_alloc_begin(size_t n, bool persistent)
{
    static const struct armi_allocator allocator = {fault_alloc, fault_free, NULL};
    atomic_store(&calls, 0);
    atomic_store(&live, 0);
    atomic_store(&fired, false);
    fail_at = n;
    fail_on = persistent;
    armi_allocator_set(&allocator);
}

bool fault_alloc_end(void)
{
    armi_allocator_set(NULL);
    assert_int_equal(fault_alloc_live(), 0);
    return atomic_load(&fired);
}

void fault_alloc_arm(size_t n)
{
    fail_at = n == 0 ? 0 : atomic_load(&calls) + n;
    fail_on = false;
}

size_t fault_alloc_live(void)
{
    return atomic_load(&live);
}
