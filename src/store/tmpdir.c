/*
 * tmp/<32 hex digits>/: one folder for each handle that writes, with a file `lock` in it
 * that the handle holds locked. The lock dies with its process, and then the folder is
 * anybody's to remove.
 *
 * A folder and its lock cannot be made in one step, so both sides check. The maker locks,
 * then looks whether the name still leads to the file that it locked; if not, a sweeper
 * took the folder for an abandoned one, and the maker begins anew under another name. The
 * sweeper removes only what it has locked, and a folder that got a new lock meanwhile is
 * not empty, so that it stays.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/text.h"
#include "os/handles.h"
#include "store/store_internal.h"

#define LOCK_NAME    "lock"
#define ATTEMPTS_MAX 16

#define LOCK_FLAGS (ARMI_OPEN_READ | ARMI_OPEN_WRITE | ARMI_OPEN_CREATE | ARMI_OPEN_LOCKS)

static bool is_tmp_name(const char *name)
{
    uint8_t bytes[16];
    return strlen(name) == 32 && armi_hex_decode(name, bytes, 16);
}

void armi_store_temp_name(uint64_t number, char name[ARMI_TMP_NAME_SIZE])
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(number >> (56 - 8 * i));
    armi_hex_encode(bytes, sizeof bytes, name);
}

/* 0, or -EAGAIN: a sweeper had it, try another name. */
static int lock_folder(const struct armi_os *os, int dir, int *lock)
{
    struct armi_file_stat mine, named;
    int fd = os->open(os, dir, LOCK_NAME, LOCK_FLAGS, ARMI_OS_MODE_FILE);
    if (fd < 0)
        return fd == -ENOENT ? -EAGAIN : fd;
    int error = os->lock(os, fd, 0, 1, ARMI_LOCK_EXCLUSIVE);
    if (error == 0)
        error = os->fstat(os, fd, &mine);
    if (error == 0) {
        error = os->stat_at(os, dir, LOCK_NAME, &named);
        if (error == -ENOENT || (error == 0 && named.inode != mine.inode))
            error = -EAGAIN;
    }
    if (error < 0)
        os->close(os, fd);
    else
        *lock = fd;
    return error;
}

static int make_folder(struct armi_store *store, struct armi_tmp *tmp)
{
    const struct armi_os *os = store->os;
    uint8_t random[16];
    int error = os->random(os, random, sizeof random);
    if (error < 0)
        return error;
    armi_hex_encode(random, sizeof random, tmp->name);
    error = os->mkdir(os, store->tmp_root, tmp->name);
    if (error < 0)
        return error == -EEXIST ? -EAGAIN : error;
    int dir =
        os->open(os, store->tmp_root, tmp->name, ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY, 0);
    if (dir < 0) {
        os->rmdir(os, store->tmp_root, tmp->name);
        return dir == -ENOENT ? -EAGAIN : dir;
    }
    error = lock_folder(os, dir, &tmp->lock);
    if (error < 0) {
        os->unlink(os, dir, LOCK_NAME);
        os->close(os, dir);
        os->rmdir(os, store->tmp_root, tmp->name);
        return error;
    }
    tmp->dir = dir;
    tmp->generation = armi_handles_generation();
    tmp->is_made = true;
    return 0;
}

/* Under the lock. An inherited folder is the parent's: only our descriptor of it goes. */
static void forget_parents(struct armi_store *store)
{
    if (store->tmp.is_made && store->tmp.generation != armi_handles_generation()) {
        store->os->close(store->os, store->tmp.dir);
        store->tmp.is_made = false;
    }
}

enum armi_status armi_store_tmp(struct armi_store *store, int *dir, uint64_t *generation,
                                struct armi_error *err)
{
    int error = 0;
    armi_store_lock();
    forget_parents(store);
    for (int i = 0; !store->tmp.is_made; i++) {
        error = make_folder(store, &store->tmp);
        if (error < 0 && (error != -EAGAIN || i == ATTEMPTS_MAX))
            break;
    }
    bool is_made = store->tmp.is_made;
    *dir = store->tmp.dir;
    *generation = store->tmp.generation;
    armi_store_unlock();
    if (!is_made)
        return armi_error_errno(err, -error, "cannot make a folder in '%s/tmp'",
                                store->path);
    return ARMI_OK;
}

struct names {
    struct armi_buf text; /* each with its zero byte */
};

static int collect_name(void *ctx, const char *name, enum armi_entry_kind kind)
{
    (void)kind;
    struct names *names = ctx;
    enum armi_status status = armi_buf_append(&names->text, name, strlen(name) + 1, NULL);
    return status == ARMI_OK ? 0 : -ENOMEM;
}

/* Names are collected first: a folder that is changed while it is listed may show some
 * twice. */
static void remove_files(const struct armi_os *os, int dir)
{
    struct names names = {{0}};
    os->list(os, dir, collect_name, &names);
    for (size_t at = 0; at < names.text.size;) {
        const char *name = (const char *)names.text.data + at;
        at += strlen(name) + 1;
        if (strcmp(name, LOCK_NAME) != 0)
            os->unlink(os, dir, name);
    }
    armi_buf_release(&names.text);
    os->unlink(os, dir, LOCK_NAME);
}

static void remove_folder(struct armi_store *store, struct armi_tmp *tmp)
{
    const struct armi_os *os = store->os;
    remove_files(os, tmp->dir);
    os->rmdir(os, store->tmp_root, tmp->name);
    os->close(os, tmp->dir);
    os->close(os, tmp->lock);
    tmp->is_made = false;
}

void armi_store_tmp_release(struct armi_store *store)
{
    armi_store_lock();
    forget_parents(store);
    if (store->tmp.is_made)
        remove_folder(store, &store->tmp);
    armi_store_unlock();
}

static void sweep_one(struct armi_store *store, const char *name)
{
    const struct armi_os *os = store->os;
    struct armi_tmp tmp = {.is_made = true};
    memcpy(tmp.name, name, ARMI_TMP_NAME_SIZE);
    tmp.dir = os->open(os, store->tmp_root, name, ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY, 0);
    if (tmp.dir < 0)
        return;
    if (lock_folder(os, tmp.dir, &tmp.lock) < 0)
        os->close(os, tmp.dir); /* alive */
    else
        remove_folder(store, &tmp);
}

void armi_store_tmp_sweep(struct armi_store *store)
{
    struct names names = {{0}};
    store->os->list(store->os, store->tmp_root, collect_name, &names);
    for (size_t at = 0; at < names.text.size;) {
        const char *name = (const char *)names.text.data + at;
        at += strlen(name) + 1;
        if (is_tmp_name(name))
            sweep_one(store, name);
    }
    armi_buf_release(&names.text);
}

enum armi_status armi_store_spill_open(struct armi_store *store, int *out_fd,
                                       struct armi_error *err)
{
    const struct armi_os *os = store->os;
    int dir;
    uint64_t generation;
    char name[ARMI_TMP_NAME_SIZE];
    ARMI_TRY(armi_store_check_writable(store, err));
    ARMI_TRY(armi_store_tmp(store, &dir, &generation, err));
    armi_store_temp_name(atomic_fetch_add(&store->next_temp, 1), name);
    unsigned flags =
        ARMI_OPEN_READ | ARMI_OPEN_WRITE | ARMI_OPEN_CREATE | ARMI_OPEN_EXCLUSIVE;
    int fd = os->open(os, dir, name, flags, 0600);
    if (fd < 0)
        return armi_error_errno(err, -fd, "cannot make a scratch file in '%s/tmp'",
                                store->path);
    int error = os->unlink(os, dir, name);
    if (error < 0) {
        os->close(os, fd);
        return armi_error_errno(err, -error, "cannot unlink a scratch file in '%s/tmp'",
                                store->path);
    }
    *out_fd = fd;
    return ARMI_OK;
}
