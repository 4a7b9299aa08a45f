/*
 * Shared by front.c and front_open.c.
 */
#ifndef ARMI_STORE_FRONT_INTERNAL_H
#define ARMI_STORE_FRONT_INTERNAL_H

#include <armillaria/chunk_store.h>

/* The caller's options in this version's struct: what an older caller's does not have is
 * zero. */
struct armi_chunk_store_options
armi_chunk_store_options_read(const struct armi_chunk_store_options *options);

#endif
