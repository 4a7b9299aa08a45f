/*
 * Hex, base64 (RFC 4648, standard alphabet, no padding) and UTF-8.
 */
#ifndef ARMI_BASE_TEXT_H
#define ARMI_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 2 * size lower-case digits and a zero byte. */
void armi_hex_encode(const uint8_t *data, size_t size, char *out);
/* Lower-case digits only; `size` is the number of bytes wanted, text has exactly 2 * size digits. */
bool armi_hex_decode(const char *text, uint8_t *out, size_t size);

/* Characters for `size` bytes, without padding. */
size_t armi_base64_size(size_t size);
void armi_base64_encode(const uint8_t *data, size_t size, char *out);
/* Strict and canonical: exactly armi_base64_size(size) characters, unused low bits zero. */
bool armi_base64_decode(const char *text, size_t text_size, uint8_t *out, size_t size);

/* Whether all bytes are below 0x80. */
bool armi_is_ascii(const uint8_t *data, size_t size);

/* Whether all bytes are well-formed UTF-8 (no surrogates, nothing over U+10FFFF, shortest forms). */
bool armi_utf8_valid(const uint8_t *data, size_t size);

#endif
