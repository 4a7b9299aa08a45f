/*
 * The gate in front of SQLite, and what happens at fork() (I9).
 *
 * SQLite keeps locks, open files and mutexes in process-wide lists, and a child inherits the lists but
 * not the locks: a connection opened there would share the parent's entry and believe in locks that it
 * does not hold, so that another process could take the WAL away under it. Leaking the inherited
 * connections, which is what is usually advised, does not help, for the lists are keyed by file. So a
 * fork waits until no thread is inside SQLite, closes every connection of ours (they are all idle then),
 * and leaves both sides with clean lists; each opens what it needs at its next call. A fork by vfork()
 * or posix_spawn() runs no handlers and needs none.
 *
 * Rule: the gate is entered around every use of SQLite, never twice by one thread, and no lock of other
 * processes and no callback of a caller is waited for inside.
 */
#include <pthread.h>

#include "catalog/catalog_internal.h"

static pthread_rwlock_t gate;
static pthread_mutex_t registry_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct armi_catalog *registry;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void gate_init(void)
{
    pthread_rwlockattr_t attr;
    pthread_rwlockattr_init(&attr);
#ifdef __GLIBC__
    /* A fork must not starve behind readers that come without end. */
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
    pthread_rwlock_init(&gate, &attr);
    pthread_rwlockattr_destroy(&attr);
}

static void fork_prepare(void)
{
    pthread_rwlock_wrlock(&gate);
    pthread_mutex_lock(&registry_mutex);
    for (struct armi_catalog *c = registry; c != NULL; c = c->registry_next) {
        for (struct catalog_conn *conn = c->idle; conn != NULL;) {
            struct catalog_conn *next = conn->next;
            conn_close_quietly(conn);
            conn = next;
        }
        c->idle = NULL;
        c->idle_count = 0;
        if (c->writer != NULL)
            conn_close_quietly(c->writer);
        c->writer = NULL;
    }
}

static void fork_parent(void)
{
    pthread_mutex_unlock(&registry_mutex);
    pthread_rwlock_unlock(&gate);
}

/*
 * Only the forking thread lives on: whoever else was waiting or leading is not here. What waited at the
 * gate is still counted in it, so it is made anew.
 */
static void fork_child(void)
{
    pthread_rwlock_unlock(&gate);
    gate_init();
    pthread_mutex_unlock(&registry_mutex);
    pthread_mutex_init(&registry_mutex, NULL);
    for (struct armi_catalog *c = registry; c != NULL; c = c->registry_next) {
        pthread_mutex_init(&c->pool_mutex, NULL);
        pthread_mutex_init(&c->queue_mutex, NULL);
        pthread_cond_init(&c->queue_changed, NULL);
        c->queue_first = c->queue_last = NULL;
        c->has_leader = false;
    }
}

static void fork_install(void)
{
    gate_init();
    pthread_atfork(fork_prepare, fork_parent, fork_child);
}

void gate_enter(void)
{
    pthread_once(&fork_once, fork_install);
    pthread_rwlock_rdlock(&gate);
}

void gate_leave(void)
{
    pthread_rwlock_unlock(&gate);
}

void gate_register(struct armi_catalog *catalog)
{
    pthread_mutex_lock(&registry_mutex);
    catalog->registry_next = registry;
    catalog->registry_link = &registry;
    if (registry != NULL)
        registry->registry_link = &catalog->registry_next;
    registry = catalog;
    pthread_mutex_unlock(&registry_mutex);
}

void gate_unregister(struct armi_catalog *catalog)
{
    pthread_mutex_lock(&registry_mutex);
    *catalog->registry_link = catalog->registry_next;
    if (catalog->registry_next != NULL)
        catalog->registry_next->registry_link = catalog->registry_link;
    pthread_mutex_unlock(&registry_mutex);
}
