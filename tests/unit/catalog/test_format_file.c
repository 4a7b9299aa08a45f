#include "test.h"

#include <errno.h>

#include "catalog/format_file.h"
#include "base/text.h"
#include "hash/blake3.h"
#include "os_fault.h"
#include "temp_dir.h"

static struct armi_slice text_of(const char *s)
{
    return (struct armi_slice){(const uint8_t *)s, strlen(s)};
}

static const char golden[] = "armillaria 1\n"
                             "id 000102030405060708090a0b0c0d0e0f\n"
                             "hash blake3\n"
                             "transform none\n"
                             "durability none\n"
                             "features-read 0\n"
                             "features-write 0\n"
                             "check ac175daedfebcf965b7f1b24bbf0050f\n";

static void encode_golden(struct armi_buf *out, struct armi_error *err)
{
    struct armi_format format = {.durability_none = true};
    for (uint8_t i = 0; i < sizeof format.id; i++)
        format.id[i] = i;
    assert_int_equal(armi_format_encode(&format, out, err), ARMI_OK);
}

/* Text with the right check line behind it. */
static struct armi_slice signed_text(const char *body, char *out, size_t size)
{
    struct armi_hash hash;
    char hex[33];
    armi_blake3_derive("armillaria 1 format file", body, strlen(body), &hash);
    armi_hex_encode(hash.bytes, 16, hex);
    int n = snprintf(out, size, "%scheck %s\n", body, hex);
    return (struct armi_slice){(const uint8_t *)out, (size_t)n};
}

static void the_worked_example_has_these_lines(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_buf bytes = {0};
    struct armi_format back;

    encode_golden(&bytes, &err);
    ok(armi_buf_append_u8(&bytes, 0, &err));
    assert_string_equal((char *)bytes.data, golden);
    ok(armi_format_decode(text_of(golden), &back, &err));
    assert_true(back.durability_none && !back.write_unsupported);
    assert_int_equal(back.id[15], 15);
    armi_buf_release(&bytes);
}

static void every_flipped_bit_and_every_cut_is_refused(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_buf bytes = {0};
    struct armi_format back;

    encode_golden(&bytes, &err);
    for (size_t i = 0; i < bytes.size; i++) {
        struct armi_slice cut = {bytes.data, i};
        assert_int_not_equal(armi_format_decode(cut, &back, &err), ARMI_OK);
        for (int bit = 0; bit < 8; bit++) {
            bytes.data[i] ^= (uint8_t)(1 << bit);
            assert_int_not_equal(armi_format_decode(armi_buf_slice(&bytes), &back, &err),
                                 ARMI_OK);
            bytes.data[i] ^= (uint8_t)(1 << bit);
        }
    }
    armi_buf_release(&bytes);
}

static void what_is_newer_is_called_newer(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_format back;
    char out[512];

    fails(ARMI_UNSUPPORTED,
          armi_format_decode(text_of("armillaria 2\nwhat ever\n"), &back, &err));
    assert_non_null(strstr(err.message, "newer version"));
    static const char *const bodies[] = {
        "armillaria 1\nid 000102030405060708090a0b0c0d0e0f\nhash sha3\ndurability any\n"
        "features-read 0\nfeatures-write 0\n",
        "armillaria 1\nid 000102030405060708090a0b0c0d0e0f\nhash blake3\ntransform aes\n"
        "durability any\nfeatures-read 0\nfeatures-write 0\n",
        "armillaria 1\nid 000102030405060708090a0b0c0d0e0f\nhash blake3\ndurability any\n"
        "features-read 1\nfeatures-write 0\n",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        fails(ARMI_UNSUPPORTED,
              armi_format_decode(signed_text(bodies[i], out, sizeof out), &back, &err));
        assert_non_null(strstr(err.message, "newer version"));
    }
}

static void
an_unknown_write_feature_leaves_reading_and_an_unknown_line_is_let_be(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_format back;
    char out[512];

    ok(armi_format_decode(
        signed_text(
            "armillaria 1\nid 000102030405060708090a0b0c0d0e0f\nhash blake3\ncolour green\n"
            "durability any\nfeatures-read 0\nfeatures-write 18446744073709551615\n",
            out, sizeof out),
        &back, &err));
    assert_true(back.write_unsupported);
    fails(ARMI_CORRUPTION,
          armi_format_decode(
              signed_text("armillaria 1\nid 0001\nhash blake3\n", out, sizeof out), &back,
              &err));
    fails(ARMI_CORRUPTION,
          armi_format_decode(signed_text("armillaria 1\nhash blake3\ndurability any\n"
                                         "features-read 0\nfeatures-write 0\n",
                                         out, sizeof out),
                             &back, &err));
}

static void other_files_are_not_repositories(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_format back;
    static const char *const texts[] = {"",
                                        "\n",
                                        "armillaria\n",
                                        "armillaria x\n",
                                        "armillaria 0\n",
                                        "armillaria 01\n",
                                        "PAR1",
                                        "armillaria 1"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        fails(ARMI_INVALID, armi_format_decode(text_of(texts[i]), &back, &err));
}

/* Every n-th call of the system fails: the file is whole, or absent; a leftover has another name. */
static void a_file_is_written_whole_or_not_at_all(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_format format = {.id = {1, 2, 3}}, back;

    for (uint64_t n = 1;; n++) {
        char path[TEMP_DIR_SIZE];
        temp_dir_make(path);
        struct os_fault *fault = os_fault_new(armi_os_posix());
        const struct armi_os *os = os_fault_table(fault);
        int dir = os->open(os, ARMI_OS_CWD, path, ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY, 0);
        assert_true(dir >= 0);
        fails(ARMI_NOT_FOUND, armi_format_read(os, dir, "repo", &back, &err));
        os_fault_arm(fault, n, OS_FAULT_ANY, EIO, false);
        enum armi_status status = armi_format_write(os, dir, &format, &err);
        bool fired = os_fault_fired(fault);
        os_fault_arm(fault, 0, 0, 0, false);
        enum armi_status found = armi_format_read(os, dir, "repo", &back, &err);
        if (status == ARMI_OK) {
            ok(found);
            assert_memory_equal(back.id, format.id, sizeof format.id);
            fails(ARMI_ALREADY_EXISTS, armi_format_write(os, dir, &format, &err));
        } else {
            assert_int_equal(status, ARMI_STORAGE);
            assert_true(fired && (found == ARMI_OK || found == ARMI_NOT_FOUND));
        }
        os->close(os, dir);
        os_fault_free(fault);
        temp_dir_remove(path);
        if (!fired)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_example_has_these_lines),
        cmocka_unit_test(every_flipped_bit_and_every_cut_is_refused),
        cmocka_unit_test(what_is_newer_is_called_newer),
        cmocka_unit_test(
            an_unknown_write_feature_leaves_reading_and_an_unknown_line_is_let_be),
        cmocka_unit_test(other_files_are_not_repositories),
        cmocka_unit_test(a_file_is_written_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
