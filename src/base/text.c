#include "base/text.h"

#include <string.h>

#include <armillaria/hash.h>

#include "base/bits.h"

static const char hex_digits[] = "0123456789abcdef";

void armi_hex_encode(const uint8_t *data, size_t size, char *out)
{
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = hex_digits[data[i] >> 4];
        out[2 * i + 1] = hex_digits[data[i] & 15];
    }
    out[2 * size] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool armi_hex_decode(const char *text, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < 2 * size; i++)
        if (hex_value(text[i]) < 0)
            return false;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(hex_value(text[2 * i]) << 4 | hex_value(text[2 * i + 1]));
    return true;
}

void armi_hash_format(const struct armi_hash *hash, char out[ARMI_HASH_HEX_SIZE])
{
    armi_hex_encode(hash->bytes, ARMI_HASH_SIZE, out);
}

int armi_hash_parse(const char *text, size_t length, struct armi_hash *out)
{
    return length == 2 * ARMI_HASH_SIZE &&
           armi_hex_decode(text, out->bytes, ARMI_HASH_SIZE);
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t armi_base64_size(size_t size)
{
    return size / 3 * 4 + (size % 3 != 0 ? size % 3 + 1 : 0);
}

void armi_base64_encode(const uint8_t *data, size_t size, char *out)
{
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | data[i];
        for (have += 8; have >= 6; have -= 6)
            *out++ = base64_digits[bits >> (have - 6) & 63];
    }
    if (have != 0)
        *out++ = base64_digits[bits << (6 - have) & 63];
}

static int base64_value(char c)
{
    static const int8_t values[128] = {
        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
        -1, -1, -1, -1, -1, 62, -1, -1, -1, 63, 52, 53, 54, 55, 56, 57, 58, 59, 60,
        61, -1, -1, -1, -1, -1, -1, -1, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
        11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1,
        -1, -1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42,
        43, 44, 45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1,
    };
    return (unsigned char)c < 128 ? values[(unsigned char)c] : -1;
}

bool armi_base64_decode(const char *text, size_t text_size, uint8_t *out, size_t size)
{
    if (text_size != armi_base64_size(size))
        return false;
    size_t i = 0;
    for (; i + 4 <= text_size; i += 4, out += 3) {
        int a = base64_value(text[i]), b = base64_value(text[i + 1]),
            c = base64_value(text[i + 2]), d = base64_value(text[i + 3]);
        if ((a | b | c | d) < 0)
            return false;
        out[0] = (uint8_t)(a << 2 | b >> 4);
        out[1] = (uint8_t)(b << 4 | c >> 2);
        out[2] = (uint8_t)(c << 6 | d);
    }
    uint32_t bits = 0;
    unsigned have = 0;
    for (; i < text_size; i++) {
        int v = base64_value(text[i]);
        if (v < 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            *out++ = (uint8_t)(bits >> have);
        }
    }
    return (bits & ((1u << have) - 1)) == 0;
}

/* The length of the sequence that starts at p, or 0. Table 3-7 of the Unicode standard. */
static size_t utf8_sequence(const uint8_t *p, size_t left)
{
    uint8_t b = p[0];
    if (b >= 0xc2 && b <= 0xdf)
        return left >= 2 && (p[1] & 0xc0) == 0x80 ? 2 : 0;
    if (b >= 0xe0 && b <= 0xef) {
        uint8_t lo = b == 0xe0 ? 0xa0 : 0x80, hi = b == 0xed ? 0x9f : 0xbf;
        return left >= 3 && p[1] >= lo && p[1] <= hi && (p[2] & 0xc0) == 0x80 ? 3 : 0;
    }
    if (b >= 0xf0 && b <= 0xf4) {
        uint8_t lo = b == 0xf0 ? 0x90 : 0x80, hi = b == 0xf4 ? 0x8f : 0xbf;
        bool tail = left >= 4 && (p[2] & 0xc0) == 0x80 && (p[3] & 0xc0) == 0x80;
        return tail && p[1] >= lo && p[1] <= hi ? 4 : 0;
    }
    return 0;
}

bool armi_is_ascii(const uint8_t *data, size_t size)
{
    uint64_t any = 0;
    size_t i = 0;
    for (; i + 64 <= size; i += 64) {
        for (size_t k = 0; k < 64; k += 8)
            any |= armi_load64(data + i + k);
        if ((any & 0x8080808080808080u) != 0)
            return false;
    }
    for (; i < size; i++)
        any |= data[i];
    return (any & 0x8080808080808080u) == 0;
}

bool armi_utf8_valid(const uint8_t *data, size_t size)
{
    size_t i = 0;
    while (i < size) {
        if (size - i >= 8 && (armi_load64(data + i) & 0x8080808080808080u) == 0) {
            i += 8;
        } else if (data[i] < 0x80) {
            i++;
        } else {
            size_t n = utf8_sequence(data + i, size - i);
            if (n == 0)
                return false;
            i += n;
        }
    }
    return true;
}
