/* The protobuf wire format: bounded reads of tags, numbers and unknown fields.
 *
 * Each function returns 1, or 0 for what is malformed or unusual. Unusual is what few writers produce and protobuf's own
 * parsers treat in their own ways: the caller then leaves the whole message to the Python converters.
 */

#ifndef GATEWAY_ENTITIES_WIRE_H
#define GATEWAY_ENTITIES_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum { VARINT = 0, FIXED64 = 1, LENGTH_DELIMITED = 2, START_GROUP = 3, END_GROUP = 4, FIXED32 = 5 };

/* Groups inside each other. Protobuf allows 100. */
#define GROUP_DEPTH 16

/* Bytes that are left to read: `at` never passes `end`. */
typedef struct {
    const uint8_t *at;
    const uint8_t *end;
} Span;

static inline int read_varint(Span *span, uint64_t *value)
{
    const uint8_t *at = span->at;
    uint64_t read = 0;
    for (unsigned shift = 0; shift <= 63 && at < span->end; shift += 7) {
        uint8_t byte = *at++;
        /* The tenth byte has one bit. */
        if (shift == 63 && byte > 1)
            return 0;
        read |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            span->at = at;
            *value = read;
            return 1;
        }
    }
    return 0;
}

/* At most five bytes and 32 bits, as tags and lengths are. */
static inline int read_uint32(Span *span, uint32_t *value)
{
    const uint8_t *at = span->at;
    uint32_t read = 0;
    for (unsigned shift = 0; shift <= 28 && at < span->end; shift += 7) {
        uint8_t byte = *at++;
        if (shift == 28 && byte > 15)
            return 0;
        read |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            span->at = at;
            *value = read;
            return 1;
        }
    }
    return 0;
}

static inline int read_tag(Span *span, uint32_t *tag)
{
    return read_uint32(span, tag) && *tag >> 3 != 0;
}

/* The content of a length-delimited field. */
static inline int read_content(Span *span, Span *content)
{
    uint32_t length;
    if (!read_uint32(span, &length) || length > (size_t)(span->end - span->at))
        return 0;
    content->at = span->at;
    span->at += length;
    content->end = span->at;
    return 1;
}

static inline int advance(Span *span, size_t count)
{
    if ((size_t)(span->end - span->at) < count)
        return 0;
    span->at += count;
    return 1;
}

/* Skip the field whose tag was read, with all that its group contains. */
static inline int skip_field(Span *span, uint32_t tag)
{
    uint32_t open[GROUP_DEPTH];
    unsigned depth = 0;
    for (;;) {
        uint64_t number;
        Span content;
        switch (tag & 7) {
        case VARINT:
            if (!read_varint(span, &number))
                return 0;
            break;
        case FIXED64:
            if (!advance(span, 8))
                return 0;
            break;
        case LENGTH_DELIMITED:
            if (!read_content(span, &content))
                return 0;
            break;
        case START_GROUP:
            if (depth == GROUP_DEPTH)
                return 0;
            open[depth++] = tag >> 3;
            break;
        case END_GROUP:
            if (depth == 0 || open[--depth] != tag >> 3)
                return 0;
            break;
        case FIXED32:
            if (!advance(span, 4))
                return 0;
            break;
        default:
            return 0;
        }
        if (depth == 0)
            return 1;
        if (!read_tag(span, &tag))
            return 0;
    }
}

static inline uint64_t little_endian(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;
    for (unsigned index = 0; index < size; index++)
        value |= (uint64_t)at[index] << (8 * index);
    return value;
}

#endif
