/* Text to and from UTF-8, without the program's handlers of encoding errors.
 *
 * Python calls them for what is no UTF-8 and for lone surrogates, even under the name "strict". They run Python code in the
 * middle of a message, and may replace what has to be refused. Such text is left to the Python converters.
 */

#ifndef GATEWAY_ENTITIES_UTF8_H
#define GATEWAY_ENTITIES_UTF8_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>
#include <string.h>

/* Return the first byte that is not ASCII; the end if there is none. */
static inline const uint8_t *after_ascii(const uint8_t *at, const uint8_t *end)
{
    uint64_t word;
    for (; end - at >= 8; at += 8) {
        memcpy(&word, at, 8);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    while (at < end && *at < 0x80)
        at++;
    return at;
}

static inline int is_utf8(const uint8_t *at, const uint8_t *end)
{
    while ((at = after_ascii(at, end)) < end) {
        uint8_t first = *at;
        size_t size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
        if (size == 0 || (size_t)(end - at) < size)
            return 0;
        /* The second byte tells what has a shorter form, surrogates, and what is beyond Unicode. */
        uint8_t lowest = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        uint8_t highest = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        if (at[1] < lowest || at[1] > highest)
            return 0;
        for (size_t index = 2; index < size; index++)
            if ((at[index] & 0xc0) != 0x80)
                return 0;
        at += size;
    }
    return 1;
}

/* Return the text of some bytes; NULL if they are not UTF-8. */
static inline PyObject *text_of(const uint8_t *at, size_t size)
{
    const uint8_t *end = at + size, *other = after_ascii(at, end);
    if (other < end && !is_utf8(other, end))
        return NULL;
    /* Texts of one character are Python's own. */
    if (other < end || size < 2)
        return PyUnicode_DecodeUTF8((const char *)at, (Py_ssize_t)size, NULL);
    PyObject *text = PyUnicode_New((Py_ssize_t)size, 0x7f);
    if (text != NULL)
        memcpy(PyUnicode_1BYTE_DATA(text), at, size);
    return text;
}

static inline int has_utf8(PyObject *text)
{
#if PY_VERSION_HEX < 0x030C0000
    if (!PyUnicode_IS_READY(text))
        return 0;
#endif
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    const void *data = PyUnicode_DATA(text);
    int kind = PyUnicode_KIND(text);
    if (kind == PyUnicode_1BYTE_KIND)
        return 1;
    for (Py_ssize_t index = 0; index < length; index++)
        if (Py_UNICODE_IS_SURROGATE(PyUnicode_READ(kind, data, index)))
            return 0;
    return 1;
}

/* Return the UTF-8 of a text; NULL if it has none. The text owns it. */
static inline const char *utf8_of(PyObject *text, Py_ssize_t *size)
{
    if (PyUnicode_IS_COMPACT_ASCII(text)) {
        *size = PyUnicode_GET_LENGTH(text);
        return (const char *)PyUnicode_1BYTE_DATA(text);
    }
    return has_utf8(text) ? PyUnicode_AsUTF8AndSize(text, size) : NULL;
}

#endif
