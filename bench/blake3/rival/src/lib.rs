//! The crate `blake3`, callable from the C loop.

/// # Safety
/// `data` has `size` bytes, `out` has 32.
#[no_mangle]
pub unsafe extern "C" fn rival_hash(data: *const u8, size: usize, out: *mut u8) {
    let hash = blake3::hash(std::slice::from_raw_parts(data, size));
    std::ptr::copy_nonoverlapping(hash.as_bytes().as_ptr(), out, 32);
}
