/*
 * The descriptors are bits in a fixed table: registering never allocates, and the child's
 * handler, which may do hardly anything, has only to walk it. A fork waits while one is
 * being opened or closed, so that no descriptor is between the two.
 */
#include "os/handles.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define HANDLES_MAX 65536

static pthread_mutex_t handles_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t handles_open[HANDLES_MAX / 64];
static int handles_top; /* one past the highest number ever registered */
static _Atomic uint64_t generation;

static void fork_prepare(void)
{
    pthread_mutex_lock(&handles_lock);
}

static void fork_parent(void)
{
    pthread_mutex_unlock(&handles_lock);
}

static void fork_child(void)
{
    for (int i = 0; i <= (handles_top - 1) / 64 && handles_top > 0; i++) {
        for (uint64_t left = handles_open[i]; left != 0; left &= left - 1)
            close(64 * i + __builtin_ctzll(left));
        handles_open[i] = 0;
    }
    handles_top = 0;
    atomic_fetch_add(&generation, 1);
    pthread_mutex_unlock(&handles_lock);
}

static void fork_hook(void)
{
    pthread_atfork(fork_prepare, fork_parent, fork_child);
}

static void fork_hook_once(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fork_hook);
}

uint64_t armi_handles_generation(void)
{
    fork_hook_once();
    return atomic_load_explicit(&generation, memory_order_relaxed);
}

void armi_handles_hold(void)
{
    fork_hook_once();
    pthread_mutex_lock(&handles_lock);
}

void armi_handles_unhold(void)
{
    pthread_mutex_unlock(&handles_lock);
}

int armi_handles_register(int fd)
{
    if (fd < 0 || fd >= HANDLES_MAX)
        return -EMFILE;
    handles_open[fd / 64] |= UINT64_C(1) << (fd % 64);
    if (fd >= handles_top)
        handles_top = fd + 1;
    return 0;
}

bool armi_handles_is_registered(int fd)
{
    return fd >= 0 && fd < HANDLES_MAX && (handles_open[fd / 64] >> (fd % 64) & 1) != 0;
}

void armi_handles_unregister(int fd)
{
    if (fd >= 0 && fd < HANDLES_MAX)
        handles_open[fd / 64] &= ~(UINT64_C(1) << (fd % 64));
}
