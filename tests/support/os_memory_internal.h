/*
 * What os_memory.c and os_memory_disk.c share: the disk's state and the small things done to it.
 */
#ifndef ARMI_OS_MEMORY_INTERNAL_H
#define ARMI_OS_MEMORY_INTERNAL_H

#include <pthread.h>
#include <stddef.h>

#include "os_memory.h"

struct blob {
    uint8_t *data;
    size_t size;
};

/* A change that the disk does not have yet: bytes, a length, or a name. */
struct pending {
    bool is_truncate;
    uint64_t offset; /* or the new length */
    struct blob bytes;
    char *name;
    size_t target; /* the inode that the name gets, or NONE */
};

struct entry {
    char *name;
    size_t inode;
};

struct entries {
    struct entry *items;
    size_t count;
};

struct inode {
    enum armi_entry_kind kind;
    struct blob now, disk;
    struct entries names_now, names_disk;
    struct pending *pending;
    size_t pending_count;
    uint64_t links;
    int64_t mtime, ctime;
    unsigned mode;
};

struct open_file {
    int fd;
    size_t inode;
    unsigned flags;
    uint64_t at; /* of read and write */
};

struct lock {
    int fd;
    size_t inode;
    uint64_t offset, size;
    enum armi_lock_kind kind;
};

struct os_memory {
    struct armi_os table;
    pthread_mutex_t mutex;
    struct inode *inodes; /* 0 is the root; never freed one by one */
    size_t inodes_count;
    struct open_file *files;
    size_t files_count;
    struct lock *locks;
    size_t locks_count;
    int next_fd;
    int64_t now_ns;
    uint64_t syncs;
    uint64_t random;
    uint64_t capacity;
    bool read_only;
};

#define NONE SIZE_MAX

void *grow(void *array, size_t count, size_t size);
void *copy_of(const void *data, size_t size);
uint64_t next_random(uint64_t *state);
void blob_resize(struct blob *blob, size_t size);
void blob_write(struct blob *blob, uint64_t offset, const void *data, size_t size);
void blob_assign(struct blob *to, const struct blob *from);
size_t *entry_find(struct entries *names, const char *name, size_t size);
void entries_assign(struct entries *to, const struct entries *from);
void entries_release(struct entries *names);
void pending_clear(struct inode *inode);
void pending_add(struct inode *inode, struct pending change);
size_t inode_new(struct os_memory *disk, enum armi_entry_kind kind, unsigned mode);
/* A name changes now, and on the disk some day. */
void name_change(struct os_memory *disk, size_t dir, const char *name, size_t target);
struct os_memory *disk_new(void); /* without a root */

#endif
