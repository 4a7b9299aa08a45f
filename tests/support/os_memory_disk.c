/*
 * The disk of os_memory.h: files, names and what is pending, and what a crash leaves of them.
 */
#include "os_memory_internal.h"

#include <stdlib.h>
#include <string.h>

void *grow(void *array, size_t count, size_t size)
{
    void *p = realloc(array, (count + 1) * size);
    if (p == NULL)
        abort();
    return p;
}

void *copy_of(const void *data, size_t size)
{
    void *p = malloc(size != 0 ? size : 1);
    if (p == NULL)
        abort();
    if (size != 0)
        memcpy(p, data, size);
    return p;
}

uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void blob_resize(struct blob *blob, size_t size)
{
    blob->data = realloc(blob->data, size != 0 ? size : 1);
    if (blob->data == NULL)
        abort();
    if (size > blob->size)
        memset(blob->data + blob->size, 0, size - blob->size);
    blob->size = size;
}

void blob_write(struct blob *blob, uint64_t offset, const void *data, size_t size)
{
    if (size == 0)
        return;
    if (offset + size > blob->size)
        blob_resize(blob, (size_t)(offset + size));
    memcpy(blob->data + offset, data, size);
}

void blob_assign(struct blob *to, const struct blob *from)
{
    blob_resize(to, 0);
    blob_write(to, 0, from->data, from->size);
}

size_t *entry_find(struct entries *names, const char *name, size_t size)
{
    for (size_t i = 0; i < names->count; i++)
        if (strlen(names->items[i].name) == size &&
            memcmp(names->items[i].name, name, size) == 0)
            return &names->items[i].inode;
    return NULL;
}

static void entry_set(struct entries *names, const char *name, size_t inode)
{
    size_t *at = entry_find(names, name, strlen(name));
    if (at != NULL && inode == NONE) {
        size_t i = 0;
        while (&names->items[i].inode != at)
            i++;
        free(names->items[i].name);
        names->items[i] = names->items[--names->count];
    } else if (at != NULL) {
        *at = inode;
    } else if (inode != NONE) {
        names->items = grow(names->items, names->count, sizeof *names->items);
        names->items[names->count++] =
            (struct entry){copy_of(name, strlen(name) + 1), inode};
    }
}

void entries_release(struct entries *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i].name);
    free(names->items);
    *names = (struct entries){NULL, 0};
}

void entries_assign(struct entries *to, const struct entries *from)
{
    entries_release(to);
    for (size_t i = 0; i < from->count; i++)
        entry_set(to, from->items[i].name, from->items[i].inode);
}

void pending_clear(struct inode *inode)
{
    for (size_t i = 0; i < inode->pending_count; i++) {
        free(inode->pending[i].bytes.data);
        free(inode->pending[i].name);
    }
    free(inode->pending);
    inode->pending = NULL;
    inode->pending_count = 0;
}

void pending_add(struct inode *inode, struct pending change)
{
    inode->pending = grow(inode->pending, inode->pending_count, sizeof *inode->pending);
    inode->pending[inode->pending_count++] = change;
}

size_t inode_new(struct os_memory *disk, enum armi_entry_kind kind, unsigned mode)
{
    disk->inodes = grow(disk->inodes, disk->inodes_count, sizeof *disk->inodes);
    disk->inodes[disk->inodes_count] = (struct inode){.kind = kind,
                                                      .mode = mode,
                                                      .mtime = disk->now_ns,
                                                      .ctime = disk->now_ns,
                                                      .links = 1};
    return disk->inodes_count++;
}

/* A name changes now, and on the disk some day. */
void name_change(struct os_memory *disk, size_t dir, const char *name, size_t target)
{
    struct inode *inode = &disk->inodes[dir];
    entry_set(&inode->names_now, name, target);
    pending_add(
        inode, (struct pending){.name = copy_of(name, strlen(name) + 1), .target = target});
    inode->mtime = inode->ctime = disk->now_ns;
}

uint64_t os_crash_seeds(uint64_t everyday)
{
    const char *asked = getenv("ARMI_CRASH_SEEDS");
    uint64_t seeds = asked != NULL ? strtoull(asked, NULL, 10) : 0;
    return seeds > everyday ? seeds : everyday;
}

struct os_memory *os_memory_clone(const struct os_memory *from)
{
    struct os_memory *disk = disk_new();
    disk->now_ns = from->now_ns;
    disk->random = from->random;
    disk->capacity = from->capacity;
    for (size_t i = 0; i < from->inodes_count; i++) {
        const struct inode *old = &from->inodes[i];
        size_t at = inode_new(disk, old->kind, old->mode); /* moves the array */
        struct inode *inode = &disk->inodes[at];
        inode->links = old->links;
        inode->mtime = old->mtime;
        inode->ctime = old->ctime;
        blob_assign(&inode->now, &old->now);
        blob_assign(&inode->disk, &old->disk);
        entries_assign(&inode->names_now, &old->names_now);
        entries_assign(&inode->names_disk, &old->names_disk);
        for (size_t j = 0; j < old->pending_count; j++) {
            struct pending p = old->pending[j];
            p.bytes.data =
                p.bytes.data != NULL ? copy_of(p.bytes.data, p.bytes.size) : NULL;
            p.name = p.name != NULL ? copy_of(p.name, strlen(p.name) + 1) : NULL;
            pending_add(inode, p);
        }
    }
    return disk;
}

/* What became of one unsynced change on its way to the disk. */
static void apply_some(struct inode *inode, const struct pending *p, uint64_t *seed)
{
    uint64_t fate = next_random(seed) % 4;
    if (fate == 0)
        return;
    if (p->name != NULL) {
        entry_set(&inode->names_disk, p->name, p->target);
    } else if (p->is_truncate) {
        blob_resize(&inode->disk, (size_t)p->offset);
    } else if (fate == 1) {
        blob_write(&inode->disk, p->offset, p->bytes.data, p->bytes.size);
    } else {
        /* The length is on the disk; of the bytes some sectors (2), or none (3). */
        if (p->offset + p->bytes.size > inode->disk.size)
            blob_resize(&inode->disk, (size_t)(p->offset + p->bytes.size));
        for (uint64_t at = 0; fate == 2 && at < p->bytes.size; at += 512) {
            size_t n = p->bytes.size - at < 512 ? (size_t)(p->bytes.size - at) : 512;
            if (next_random(seed) % 2 == 0)
                blob_write(&inode->disk, p->offset + at, p->bytes.data + at, n);
        }
    }
}

void os_memory_crash(struct os_memory *disk, enum os_crash how, uint64_t seed)
{
    disk->files_count = 0;
    disk->locks_count = 0;
    if (how == OS_CRASH_KEEP)
        return;
    for (size_t i = 0; i < disk->inodes_count; i++) {
        struct inode *inode = &disk->inodes[i];
        for (size_t j = 0; how == OS_CRASH_RANDOM && j < inode->pending_count; j++)
            apply_some(inode, &inode->pending[j], &seed);
        pending_clear(inode);
        blob_assign(&inode->now, &inode->disk);
        entries_assign(&inode->names_now, &inode->names_disk);
    }
    for (size_t i = 0; i < disk->inodes_count; i++)
        disk->inodes[i].links = i == 0;
    for (size_t i = 0; i < disk->inodes_count; i++)
        for (size_t j = 0; j < disk->inodes[i].names_now.count; j++)
            disk->inodes[disk->inodes[i].names_now.items[j].inode].links++;
}
