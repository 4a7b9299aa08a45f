#include "os_memory_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FD_FIRST 100000 /* no number that the system could give out too */

static struct os_memory *enter(const struct armi_os *os)
{
    struct os_memory *disk = os->ctx;
    pthread_mutex_lock(&disk->mutex);
    disk->now_ns += 1000;
    return disk;
}

static int64_t leave(struct os_memory *disk, int64_t result)
{
    pthread_mutex_unlock(&disk->mutex);
    return result;
}

static struct open_file *file_of(struct os_memory *disk, int fd)
{
    for (size_t i = 0; i < disk->files_count; i++)
        if (disk->files[i].fd == fd)
            return &disk->files[i];
    return NULL;
}

static struct inode *inode_of(struct os_memory *disk, int fd)
{
    struct open_file *file = file_of(disk, fd);
    return file != NULL ? &disk->inodes[file->inode] : NULL;
}

/*
 * Walks a path: *dir is the folder that holds its last component, *name that component,
 * *inode what stands there or NONE. "/" and "." end at a folder, with *name empty.
 */
static int walk(struct os_memory *disk, int dir_fd, const char *path, size_t *dir,
                const char **name, size_t *inode)
{
    size_t at = 0;
    if (dir_fd != ARMI_OS_CWD) {
        struct open_file *file = file_of(disk, dir_fd);
        if (file == NULL)
            return -EBADF;
        at = file->inode;
    }
    *dir = at;
    *name = "";
    *inode = at;
    while (*path != '\0') {
        size_t size = strcspn(path, "/");
        if (size == 0 || (size == 1 && path[0] == '.')) {
            path += size != 0 ? size : 1;
            continue;
        }
        if (*inode == NONE)
            return -ENOENT;
        if (disk->inodes[*inode].kind != ARMI_ENTRY_DIRECTORY)
            return -ENOTDIR;
        *dir = *inode;
        *name = path;
        size_t *found = entry_find(&disk->inodes[*dir].names_now, path, size);
        *inode = found != NULL ? *found : NONE;
        path += size;
        if (*path != '\0' && strspn(path, "/") != strlen(path))
            path += 1;
        else
            break;
    }
    return 0;
}

static int open_existing(struct os_memory *disk, size_t inode, unsigned flags)
{
    if ((flags & ARMI_OPEN_CREATE) && (flags & ARMI_OPEN_EXCLUSIVE))
        return -EEXIST;
    bool is_dir = disk->inodes[inode].kind == ARMI_ENTRY_DIRECTORY;
    if ((flags & ARMI_OPEN_DIRECTORY) && !is_dir)
        return -ENOTDIR;
    if ((flags & ARMI_OPEN_WRITE) && is_dir)
        return -EISDIR;
    if ((flags & ARMI_OPEN_WRITE) && disk->read_only)
        return -EROFS;
    if (flags & ARMI_OPEN_TRUNCATE) {
        blob_resize(&disk->inodes[inode].now, 0);
        pending_add(&disk->inodes[inode],
                    (struct pending){.is_truncate = true, .offset = 0});
    }
    return 0;
}

static int memory_open(const struct armi_os *os, int dir_fd, const char *path,
                       unsigned flags, unsigned mode)
{
    struct os_memory *disk = enter(os);
    size_t dir, inode;
    const char *name;
    int error = walk(disk, dir_fd, path, &dir, &name, &inode);
    if (error == 0 && inode != NONE)
        error = open_existing(disk, inode, flags);
    else if (error == 0 && !(flags & ARMI_OPEN_CREATE))
        error = -ENOENT;
    else if (error == 0 && disk->read_only)
        error = -EROFS;
    else if (error == 0) {
        inode = inode_new(disk, ARMI_ENTRY_REGULAR, mode & 0777);
        name_change(disk, dir, name, inode);
    }
    if (error < 0)
        return (int)leave(disk, error);
    disk->files = grow(disk->files, disk->files_count, sizeof *disk->files);
    disk->files[disk->files_count++] = (struct open_file){disk->next_fd, inode, flags, 0};
    return (int)leave(disk, disk->next_fd++);
}

static int memory_close(const struct armi_os *os, int fd)
{
    struct os_memory *disk = enter(os);
    struct open_file *file = file_of(disk, fd);
    if (file == NULL)
        return (int)leave(disk, -EBADF);
    *file = disk->files[--disk->files_count];
    for (size_t i = disk->locks_count; i-- > 0;)
        if (disk->locks[i].fd == fd)
            disk->locks[i] = disk->locks[--disk->locks_count];
    return (int)leave(disk, 0);
}

static int64_t memory_pread(const struct armi_os *os, int fd, void *out, size_t size,
                            uint64_t offset)
{
    struct os_memory *disk = enter(os);
    struct open_file *file = file_of(disk, fd);
    if (file == NULL || !(file->flags & ARMI_OPEN_READ))
        return leave(disk, -EBADF);
    struct inode *inode = &disk->inodes[file->inode];
    if (inode->kind != ARMI_ENTRY_REGULAR)
        return leave(disk, -EISDIR);
    if (offset >= inode->now.size || size == 0)
        return leave(disk, 0);
    if (size > inode->now.size - offset)
        size = (size_t)(inode->now.size - offset);
    memcpy(out, inode->now.data + offset, size);
    return leave(disk, (int64_t)size);
}

static int64_t memory_preadv(const struct armi_os *os, int fd,
                             const struct armi_slice *parts, size_t count, uint64_t offset)
{
    int64_t done = 0;
    for (size_t i = 0; i < count; i++) {
        void *to;
        memcpy(&to, &parts[i].data, sizeof to);
        int64_t n = memory_pread(os, fd, to, parts[i].size, offset + (uint64_t)done);
        if (n < 0)
            return n;
        done += n;
        if ((size_t)n < parts[i].size)
            break;
    }
    return done;
}

/* How many of `size` more bytes at `offset` fit on the disk. */
static size_t room_for(const struct os_memory *disk, const struct inode *inode,
                       uint64_t offset, size_t size)
{
    if (disk->capacity == 0 || offset + size <= inode->now.size)
        return size;
    uint64_t used = 0;
    for (size_t i = 0; i < disk->inodes_count; i++)
        used += disk->inodes[i].links > 0 ? disk->inodes[i].now.size : 0;
    uint64_t end = inode->now.size + (disk->capacity > used ? disk->capacity - used : 0);
    return end > offset ? (size_t)(end - offset < size ? end - offset : size) : 0;
}

static int64_t memory_pwrite(const struct armi_os *os, int fd, const void *data,
                             size_t size, uint64_t offset)
{
    struct os_memory *disk = enter(os);
    struct open_file *file = file_of(disk, fd);
    if (file == NULL || !(file->flags & ARMI_OPEN_WRITE))
        return leave(disk, -EBADF);
    struct inode *inode = &disk->inodes[file->inode];
    size_t fits = room_for(disk, inode, offset, size);
    if (fits == 0 && size != 0)
        return leave(disk, -ENOSPC);
    blob_write(&inode->now, offset, data, fits);
    pending_add(inode,
                (struct pending){.offset = offset, .bytes = {copy_of(data, fits), fits}});
    inode->mtime = inode->ctime = disk->now_ns;
    return leave(disk, (int64_t)fits);
}

static int64_t memory_pwritev(const struct armi_os *os, int fd,
                              const struct armi_slice *parts, size_t count, uint64_t offset)
{
    int64_t done = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t n =
            memory_pwrite(os, fd, parts[i].data, parts[i].size, offset + (uint64_t)done);
        if (n < 0)
            return done > 0 ? done : n;
        done += n;
        if ((size_t)n < parts[i].size)
            break;
    }
    return done;
}

static void move_on(const struct armi_os *os, int fd, int64_t n)
{
    struct os_memory *disk = enter(os);
    struct open_file *file = file_of(disk, fd);
    if (file != NULL && n > 0)
        file->at += (uint64_t)n;
    leave(disk, 0);
}

static uint64_t place_of(const struct armi_os *os, int fd)
{
    struct os_memory *disk = enter(os);
    struct open_file *file = file_of(disk, fd);
    uint64_t at = file != NULL ? file->at : 0;
    leave(disk, 0);
    return at;
}

static int64_t memory_read(const struct armi_os *os, int fd, void *out, size_t size)
{
    int64_t n = memory_pread(os, fd, out, size, place_of(os, fd));
    move_on(os, fd, n);
    return n;
}

static int64_t memory_write(const struct armi_os *os, int fd, const void *data, size_t size)
{
    int64_t n = memory_pwrite(os, fd, data, size, place_of(os, fd));
    move_on(os, fd, n);
    return n;
}

static int memory_fsync(const struct armi_os *os, int fd)
{
    struct os_memory *disk = enter(os);
    struct inode *inode = inode_of(disk, fd);
    if (inode == NULL)
        return (int)leave(disk, -EBADF);
    disk->syncs++;
    blob_assign(&inode->disk, &inode->now);
    entries_assign(&inode->names_disk, &inode->names_now);
    pending_clear(inode);
    return (int)leave(disk, 0);
}

static int memory_start_writeback(const struct armi_os *os, int fd, uint64_t offset,
                                  uint64_t size)
{
    (void)os, (void)fd, (void)offset, (void)size;
    return 0;
}

static int memory_ftruncate(const struct armi_os *os, int fd, uint64_t size)
{
    struct os_memory *disk = enter(os);
    struct inode *inode = inode_of(disk, fd);
    if (inode == NULL)
        return (int)leave(disk, -EBADF);
    blob_resize(&inode->now, (size_t)size);
    pending_add(inode, (struct pending){.is_truncate = true, .offset = size});
    inode->mtime = inode->ctime = disk->now_ns;
    return (int)leave(disk, 0);
}

static void stat_fill(const struct os_memory *disk, size_t at, struct armi_file_stat *out)
{
    const struct inode *inode = &disk->inodes[at];
    *out = (struct armi_file_stat){.size = inode->now.size,
                                   .device = 1,
                                   .inode = at + 1,
                                   .mtime_ns = inode->mtime,
                                   .ctime_ns = inode->ctime,
                                   .links = inode->links,
                                   .mode = inode->mode,
                                   .kind = inode->kind};
}

static int memory_fstat(const struct armi_os *os, int fd, struct armi_file_stat *out)
{
    struct os_memory *disk = enter(os);
    struct open_file *file = file_of(disk, fd);
    if (file == NULL)
        return (int)leave(disk, -EBADF);
    stat_fill(disk, file->inode, out);
    return (int)leave(disk, 0);
}

static int memory_stat_at(const struct armi_os *os, int dir_fd, const char *path,
                          struct armi_file_stat *out)
{
    struct os_memory *disk = enter(os);
    size_t dir, inode;
    const char *name;
    int error = walk(disk, dir_fd, path, &dir, &name, &inode);
    if (error == 0 && inode == NONE)
        error = -ENOENT;
    if (error == 0)
        stat_fill(disk, inode, out);
    return (int)leave(disk, error);
}

static void drop_link(struct os_memory *disk, size_t inode)
{
    disk->inodes[inode].links--;
    disk->inodes[inode].ctime = disk->now_ns;
}

static int rename_any(const struct armi_os *os, int from_fd, const char *from, int to_fd,
                      const char *to, bool replace)
{
    struct os_memory *disk = enter(os);
    size_t from_dir, to_dir, inode, old;
    const char *from_name, *to_name;
    int error = walk(disk, from_fd, from, &from_dir, &from_name, &inode);
    if (error == 0)
        error = walk(disk, to_fd, to, &to_dir, &to_name, &old);
    if (error == 0 && inode == NONE)
        error = -ENOENT;
    else if (error == 0 && disk->read_only)
        error = -EROFS;
    else if (error == 0 && old != NONE && !replace)
        error = -EEXIST;
    else if (error == 0 && old != NONE && disk->inodes[old].kind == ARMI_ENTRY_DIRECTORY)
        error = -EISDIR;
    if (error < 0)
        return (int)leave(disk, error);
    if (old != NONE)
        drop_link(disk, old);
    name_change(disk, from_dir, from_name, NONE);
    name_change(disk, to_dir, to_name, inode);
    disk->inodes[inode].ctime = disk->now_ns;
    return (int)leave(disk, 0);
}

static int memory_rename_new(const struct armi_os *os, int from_dir, const char *from,
                             int to_dir, const char *to)
{
    return rename_any(os, from_dir, from, to_dir, to, false);
}

static int memory_rename(const struct armi_os *os, int from_dir, const char *from,
                         int to_dir, const char *to)
{
    return rename_any(os, from_dir, from, to_dir, to, true);
}

static int remove_name(const struct armi_os *os, int dir_fd, const char *path,
                       bool want_dir)
{
    struct os_memory *disk = enter(os);
    size_t dir, inode;
    const char *name;
    int error = walk(disk, dir_fd, path, &dir, &name, &inode);
    if (error == 0 && inode == NONE)
        error = -ENOENT;
    else if (error == 0 && disk->read_only)
        error = -EROFS;
    else if (error == 0 && want_dir != (disk->inodes[inode].kind == ARMI_ENTRY_DIRECTORY))
        error = want_dir ? -ENOTDIR : -EISDIR;
    else if (error == 0 && disk->inodes[inode].names_now.count > 0)
        error = -ENOTEMPTY;
    if (error == 0) {
        name_change(disk, dir, name, NONE);
        drop_link(disk, inode);
    }
    return (int)leave(disk, error);
}

static int memory_unlink(const struct armi_os *os, int dir, const char *name)
{
    return remove_name(os, dir, name, false);
}

static int memory_rmdir(const struct armi_os *os, int dir, const char *name)
{
    return remove_name(os, dir, name, true);
}

static int memory_mkdir(const struct armi_os *os, int dir_fd, const char *path)
{
    struct os_memory *disk = enter(os);
    size_t dir, inode;
    const char *name;
    int error = walk(disk, dir_fd, path, &dir, &name, &inode);
    if (error == 0 && inode != NONE)
        error = -EEXIST;
    else if (error == 0 && disk->read_only)
        error = -EROFS;
    if (error == 0)
        name_change(disk, dir, name, inode_new(disk, ARMI_ENTRY_DIRECTORY, 0777));
    return (int)leave(disk, error);
}

static int memory_list(const struct armi_os *os, int fd, armi_list_fn fn, void *ctx)
{
    struct os_memory *disk = enter(os);
    struct inode *inode = inode_of(disk, fd);
    if (inode == NULL || inode->kind != ARMI_ENTRY_DIRECTORY)
        return (int)leave(disk, inode == NULL ? -EBADF : -ENOTDIR);
    struct entries names = {NULL, 0};
    entries_assign(&names, &inode->names_now);
    enum armi_entry_kind *kinds = copy_of(NULL, 0);
    for (size_t i = 0; i < names.count; i++) {
        kinds = grow(kinds, i, sizeof *kinds);
        kinds[i] = disk->inodes[names.items[i].inode].kind;
    }
    leave(disk, 0); /* fn may call back */
    int result = 0;
    for (size_t i = 0; i < names.count && result == 0; i++)
        result = fn(ctx, names.items[i].name, kinds[i]);
    free(kinds);
    entries_release(&names);
    return result;
}

/* Whether the lock of another descriptor stands in the way. */
static bool lock_blocked(const struct os_memory *disk, int fd, size_t inode,
                         uint64_t offset, uint64_t size, enum armi_lock_kind kind)
{
    for (size_t i = 0; i < disk->locks_count; i++) {
        const struct lock *l = &disk->locks[i];
        bool overlaps = l->offset < offset + size && offset < l->offset + l->size;
        bool excludes = kind == ARMI_LOCK_EXCLUSIVE || l->kind == ARMI_LOCK_EXCLUSIVE;
        if (l->fd != fd && l->inode == inode && overlaps && excludes)
            return true;
    }
    return false;
}

static void lock_drop(struct os_memory *disk, int fd, uint64_t offset, uint64_t size)
{
    for (size_t i = disk->locks_count; i-- > 0;) {
        const struct lock *l = &disk->locks[i];
        if (l->fd == fd && l->offset >= offset && l->offset + l->size <= offset + size)
            disk->locks[i] = disk->locks[--disk->locks_count];
    }
}

static int memory_lock(const struct armi_os *os, int fd, uint64_t offset, uint64_t size,
                       enum armi_lock_kind kind)
{
    struct os_memory *disk = enter(os);
    struct open_file *file = file_of(disk, fd);
    unsigned needs = kind == ARMI_LOCK_EXCLUSIVE ? ARMI_OPEN_WRITE : ARMI_OPEN_READ;
    if (file == NULL || !(file->flags & needs))
        return (int)leave(disk, -EBADF);
    if (lock_blocked(disk, fd, file->inode, offset, size, kind))
        return (int)leave(disk, -EAGAIN);
    lock_drop(disk, fd, offset, size);
    disk->locks = grow(disk->locks, disk->locks_count, sizeof *disk->locks);
    disk->locks[disk->locks_count++] = (struct lock){fd, file->inode, offset, size, kind};
    return (int)leave(disk, 0);
}

static int memory_unlock(const struct armi_os *os, int fd, uint64_t offset, uint64_t size)
{
    struct os_memory *disk = enter(os);
    if (file_of(disk, fd) == NULL)
        return (int)leave(disk, -EBADF);
    lock_drop(disk, fd, offset, size);
    return (int)leave(disk, 0);
}

static int memory_lock_probe(const struct armi_os *os, int fd, uint64_t offset,
                             uint64_t size, enum armi_lock_kind kind)
{
    struct os_memory *disk = enter(os);
    struct open_file *file = file_of(disk, fd);
    if (file == NULL)
        return (int)leave(disk, -EBADF);
    return (int)leave(disk, lock_blocked(disk, fd, file->inode, offset, size, kind));
}

static int memory_map(const struct armi_os *os, int fd, uint64_t offset, size_t size,
                      void **out)
{
    struct os_memory *disk = enter(os);
    struct inode *inode = inode_of(disk, fd);
    void *at = NULL;
    if (inode == NULL || size == 0)
        return (int)leave(disk, inode == NULL ? -EBADF : -EINVAL);
    if (posix_memalign(&at, 4096, size) != 0)
        return (int)leave(disk, -ENOMEM);
    memset(at, 0, size);
    if (offset < inode->now.size) {
        size_t left = (size_t)(inode->now.size - offset);
        memcpy(at, inode->now.data + offset, left < size ? left : size);
    }
    *out = at;
    return (int)leave(disk, 0);
}

static int memory_unmap(const struct armi_os *os, void *at, size_t size)
{
    (void)os, (void)size;
    free(at);
    return 0;
}

static int memory_advise(const struct armi_os *os, void *at, size_t size,
                         enum armi_map_advice advice)
{
    (void)os, (void)at, (void)size, (void)advice;
    return 0;
}

static int memory_fs_kind(const struct armi_os *os, int fd)
{
    (void)os, (void)fd;
    return ARMI_FS_LOCAL;
}

static int memory_writable(const struct armi_os *os, int dir)
{
    (void)dir;
    return ((struct os_memory *)os->ctx)->read_only ? -EROFS : 0;
}

static int64_t memory_realtime_us(const struct armi_os *os)
{
    struct os_memory *disk = enter(os);
    return leave(disk, 1700000000000000 + disk->now_ns / 1000);
}

static int64_t memory_monotonic_ns(const struct armi_os *os)
{
    struct os_memory *disk = enter(os);
    return leave(disk, disk->now_ns);
}

static int memory_sleep_ns(const struct armi_os *os, int64_t ns)
{
    struct os_memory *disk = enter(os);
    disk->now_ns += ns;
    return (int)leave(disk, 0);
}

static int memory_random(const struct armi_os *os, void *out, size_t size)
{
    struct os_memory *disk = enter(os);
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)out)[i] = (uint8_t)next_random(&disk->random);
    return (int)leave(disk, 0);
}

static int64_t memory_process_id(const struct armi_os *os)
{
    (void)os;
    return 1;
}

static const struct armi_os memory_table = {
    .open = memory_open,
    .close = memory_close,
    .pread = memory_pread,
    .preadv = memory_preadv,
    .pwrite = memory_pwrite,
    .pwritev = memory_pwritev,
    .read = memory_read,
    .write = memory_write,
    .fsync = memory_fsync,
    .fdatasync = memory_fsync,
    .start_writeback = memory_start_writeback,
    .ftruncate = memory_ftruncate,
    .fstat = memory_fstat,
    .stat_at = memory_stat_at,
    .rename_new = memory_rename_new,
    .rename = memory_rename,
    .unlink = memory_unlink,
    .mkdir = memory_mkdir,
    .rmdir = memory_rmdir,
    .list = memory_list,
    .lock = memory_lock,
    .unlock = memory_unlock,
    .lock_probe = memory_lock_probe,
    .map = memory_map,
    .unmap = memory_unmap,
    .advise = memory_advise,
    .fs_kind = memory_fs_kind,
    .writable = memory_writable,
    .realtime_us = memory_realtime_us,
    .monotonic_ns = memory_monotonic_ns,
    .sleep_ns = memory_sleep_ns,
    .random = memory_random,
    .process_id = memory_process_id,
};

struct os_memory *disk_new(void)
{
    struct os_memory *disk = calloc(1, sizeof *disk);
    if (disk == NULL)
        abort();
    pthread_mutex_init(&disk->mutex, NULL);
    disk->table = memory_table;
    disk->table.ctx = disk;
    disk->next_fd = FD_FIRST;
    return disk;
}

struct os_memory *os_memory_new(void)
{
    struct os_memory *disk = disk_new();
    inode_new(disk, ARMI_ENTRY_DIRECTORY, 0777);
    return disk;
}

void os_memory_free(struct os_memory *disk)
{
    for (size_t i = 0; i < disk->inodes_count; i++) {
        struct inode *inode = &disk->inodes[i];
        free(inode->now.data);
        free(inode->disk.data);
        entries_release(&inode->names_now);
        entries_release(&inode->names_disk);
        pending_clear(inode);
    }
    free(disk->inodes);
    free(disk->files);
    free(disk->locks);
    pthread_mutex_destroy(&disk->mutex);
    free(disk);
}

const struct armi_os *os_memory_table(struct os_memory *disk)
{
    return &disk->table;
}

int os_memory_damage(struct os_memory *disk, const char *path, uint64_t offset,
                     uint8_t mask)
{
    size_t dir, inode;
    const char *name;
    pthread_mutex_lock(&disk->mutex);
    int error = walk(disk, ARMI_OS_CWD, path, &dir, &name, &inode);
    if (error == 0 && (inode == NONE || offset >= disk->inodes[inode].now.size))
        error = inode == NONE ? -ENOENT : -EINVAL;
    if (error == 0) {
        struct blob *on_disk = &disk->inodes[inode].disk;
        disk->inodes[inode].now.data[offset] ^= mask;
        if (offset < on_disk->size)
            on_disk->data[offset] ^= mask;
    }
    return (int)leave(disk, error);
}

uint64_t os_memory_syncs(const struct os_memory *disk)
{
    return disk->syncs;
}

size_t os_memory_open_files(const struct os_memory *disk)
{
    return disk->files_count;
}

void os_memory_set_read_only(struct os_memory *disk, bool read_only)
{
    disk->read_only = read_only;
}

void os_memory_set_capacity(struct os_memory *disk, uint64_t bytes)
{
    disk->capacity = bytes;
}
