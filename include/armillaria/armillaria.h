/*
 * Armillaria: git for tables, at memory speed. Read in this order: status.h, error.h,
 * repository.h, transaction.h, table.h, scan.h, predicate.h; then ref.h, commit.h, diff.h,
 * merge.h, changes.h. The parts stand alone too: chunk_store.h, parquet.h, io.h.
 *
 * Conventions. Functions are armi_<noun>_<verb>; arguments come as object, inputs, outputs,
 * error. Each returns a status; outputs are untouched on failure unless it says otherwise.
 * A struct that the caller allocates starts with `size`, set to sizeof it, so that it can
 * grow; a zero in an option means the default. "Owned" means the caller releases it with
 * the function named; "borrowed" until when is said; "moved" means the callee takes it, on
 * success and on failure. Times are microseconds since 1970, UTC.
 */
#ifndef ARMILLARIA_H
#define ARMILLARIA_H

#include <armillaria/arrow_abi.h>
#include <armillaria/bytes.h>
#include <armillaria/call.h>
#include <armillaria/changes.h>
#include <armillaria/chunk_store.h>
#include <armillaria/commit.h>
#include <armillaria/diff.h>
#include <armillaria/error.h>
#include <armillaria/export.h>
#include <armillaria/hash.h>
#include <armillaria/io.h>
#include <armillaria/merge.h>
#include <armillaria/parquet.h>
#include <armillaria/predicate.h>
#include <armillaria/ref.h>
#include <armillaria/repository.h>
#include <armillaria/scan.h>
#include <armillaria/status.h>
#include <armillaria/table.h>
#include <armillaria/transaction.h>
#include <armillaria/version.h>

#endif
