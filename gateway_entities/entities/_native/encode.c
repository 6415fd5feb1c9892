/* Entities to bytes, in the canonical order.
 *
 * The bytes are written from the last to the first, so that the length of a message is known when it is written. No Python
 * code runs meanwhile, since only values of exact types are written, so borrowed references stay valid.
 */

#include "codec.h"
#include "utf8.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOCAL_SIZE 4096
#define LOCAL_ENTRIES 32
/* The longest varint, and the longest tag. */
#define NUMBER_SIZE 10
#define TAG_SIZE 5

/* Half a step above the largest 32-bit float: from here on a number rounds to infinity. */
#define END_OF_FLOATS 0x1.ffffffp+127

/* The written bytes are `at` to `end`. */
typedef struct {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    uint8_t local[LOCAL_SIZE];
} Output;

static void begin(Output *output)
{
    output->start = output->local;
    output->at = output->end = output->local + LOCAL_SIZE;
}

static void discard(Output *output)
{
    if (output->start != output->local)
        PyMem_Free(output->start);
}

static PyObject *finish(Output *output, int done)
{
    PyObject *bytes = done ? PyBytes_FromStringAndSize((const char *)output->at, output->end - output->at) : NULL;
    discard(output);
    return bytes;
}

static size_t written(const Output *output)
{
    return (size_t)(output->end - output->at);
}

static int grow(Output *output, size_t size)
{
    size_t used = written(output);
    if (size > MAXIMUM_SIZE - used)
        return 0;
    size_t capacity = used + size > MAXIMUM_SIZE / 2 ? MAXIMUM_SIZE : 2 * (used + size);
    uint8_t *grown = PyMem_Malloc(capacity);
    if (grown == NULL)
        return 0;
    memcpy(grown + capacity - used, output->at, used);
    discard(output);
    output->start = grown;
    output->end = grown + capacity;
    output->at = output->end - used;
    return 1;
}

/* Make room. What is written never passes MAXIMUM_SIZE, since the capacity does not. */
static inline int reserve(Output *output, size_t size)
{
    return size <= (size_t)(output->at - output->start) || grow(output, size);
}

/* Write a number for which there is room. */
static inline void put_varint(Output *output, uint64_t value)
{
    if (value < 0x80) {
        *--output->at = (uint8_t)value;
        return;
    }
    unsigned size = 1;
    for (uint64_t rest = value >> 7; rest != 0; rest >>= 7)
        size++;
    uint8_t *at = output->at -= size;
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)value | 0x80;
    *at = (uint8_t)value;
}

static int write_number(Output *output, uint32_t tag, uint64_t value)
{
    if (!reserve(output, NUMBER_SIZE + TAG_SIZE))
        return 0;
    put_varint(output, value);
    put_varint(output, tag);
    return 1;
}

static int write_fixed(Output *output, uint32_t tag, uint64_t bits, unsigned size)
{
    if (!reserve(output, NUMBER_SIZE + TAG_SIZE))
        return 0;
    output->at -= size;
    for (unsigned index = 0; index < size; index++)
        output->at[index] = (uint8_t)(bits >> (8 * index));
    put_varint(output, tag);
    return 1;
}

static int write_content(Output *output, uint32_t tag, const void *content, size_t size)
{
    if (size > MAXIMUM_SIZE || !reserve(output, size + NUMBER_SIZE + TAG_SIZE))
        return 0;
    output->at -= size;
    memcpy(output->at, content, size);
    put_varint(output, size);
    put_varint(output, tag);
    return 1;
}

/* Write the length and the tag of what was written since `before` bytes were. */
static int close_message(Output *output, uint32_t tag, size_t before)
{
    return write_number(output, tag, written(output) - before);
}

static int write_text(Output *output, const Field *field, PyObject *value)
{
    if (!PyUnicode_CheckExact(value) && (field->kind == NULL || !Py_IS_TYPE(value, field->kind)))
        return 0;
    Py_ssize_t size;
    const char *utf8 = utf8_of(value, &size);
    return utf8 != NULL && write_content(output, field->tag, utf8, (size_t)size);
}

static int write_integer(Output *output, const Field *field, PyObject *value)
{
    if (!PyLong_CheckExact(value) && (field->kind == NULL || !Py_IS_TYPE(value, field->kind)))
        return 0;
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow || (field->form != INT64 && (number < INT32_MIN || number > INT32_MAX)))
        return 0;
    return write_number(output, field->tag, (uint64_t)number);
}

static int write_float(Output *output, const Field *field, PyObject *value)
{
    if (!PyFloat_CheckExact(value))
        return 0;
    double given = PyFloat_AS_DOUBLE(value);
    if (isnan(given) || !((-END_OF_FLOATS < given && given < END_OF_FLOATS) || isinf(given)))
        return 0;
    float narrowed = (float)given;
    uint32_t bits;
    memcpy(&bits, &narrowed, sizeof bits);
    return write_fixed(output, field->tag, bits, 4);
}

static int write_double(Output *output, const Field *field, PyObject *value)
{
    double given;
    if (PyFloat_CheckExact(value)) {
        given = PyFloat_AS_DOUBLE(value);
    } else {
        if (!PyLong_CheckExact(value))
            return 0;
        given = PyLong_AsDouble(value);
        if (given == -1.0 && PyErr_Occurred())
            return 0;
    }
    uint64_t bits;
    memcpy(&bits, &given, sizeof bits);
    return write_fixed(output, field->tag, bits, 8);
}

typedef struct {
    const char *key;
    const char *value;
    Py_ssize_t key_size;
    Py_ssize_t value_size;
} Entry;

static int by_key(const void *left, const void *right)
{
    const Entry *one = left, *other = right;
    Py_ssize_t common = one->key_size < other->key_size ? one->key_size : other->key_size;
    int order = memcmp(one->key, other->key, (size_t)common);
    return order ? order : (one->key_size > other->key_size) - (one->key_size < other->key_size);
}

static int write_entries(Output *output, uint32_t tag, PyObject *dict, Entry *entries)
{
    PyObject *key, *value;
    Py_ssize_t position = 0, count = 0, size = PyDict_GET_SIZE(dict);
    while (count < size && PyDict_Next(dict, &position, &key, &value)) {
        Entry *entry = &entries[count++];
        if (!PyUnicode_CheckExact(key) || !PyUnicode_CheckExact(value)
            || (entry->key = utf8_of(key, &entry->key_size)) == NULL
            || (entry->value = utf8_of(value, &entry->value_size)) == NULL)
            return 0;
    }
    qsort(entries, (size_t)count, sizeof(Entry), by_key);
    while (count-- > 0) {
        size_t before = written(output);
        if (!write_content(output, 2 << 3 | LENGTH_DELIMITED, entries[count].value, (size_t)entries[count].value_size)
            || !write_content(output, 1 << 3 | LENGTH_DELIMITED, entries[count].key, (size_t)entries[count].key_size)
            || !close_message(output, tag, before))
            return 0;
    }
    return 1;
}

static int write_map(Output *output, uint32_t tag, PyObject *value)
{
    if (!PyDict_CheckExact(value))
        return 0;
    size_t count = (size_t)PyDict_GET_SIZE(value);
    if (count == 0)
        return 1;
    Entry local[LOCAL_ENTRIES];
    if (count <= LOCAL_ENTRIES)
        return write_entries(output, tag, value, local);
    Entry *entries = PyMem_Calloc(count, sizeof(Entry));
    if (entries == NULL)
        return 0;
    int done = write_entries(output, tag, value, entries);
    PyMem_Free(entries);
    return done;
}

static int write_entity(Output *output, const Table *table, PyObject *entity, unsigned depth);

static int write_part(Output *output, uint32_t tag, const Table *part, PyObject *value, unsigned depth)
{
    size_t before = written(output);
    return write_entity(output, part, value, depth + 1) && close_message(output, tag, before);
}

static int write_parts(Output *output, uint32_t tag, const Table *part, PyObject *list, unsigned depth)
{
    if (!PyList_CheckExact(list))
        return 0;
    for (Py_ssize_t index = PyList_GET_SIZE(list); index-- > 0;)
        if (!write_part(output, tag, part, PyList_GET_ITEM(list, index), depth))
            return 0;
    return 1;
}

static int write_field(Output *output, const Field *field, PyObject *value, unsigned depth)
{
    if (value == NULL)
        return 0;
    if (value == Py_None)
        return !field->required && field->form != ENTITIES && field->form != MAP;
    switch (field->form) {
    case TEXT:
    case NAMED_TEXT:
        return write_text(output, field, value);
    case INT32:
    case INT64:
    case ENUM:
        return write_integer(output, field, value);
    case BOOL:
        return PyBool_Check(value) && write_number(output, field->tag, value == Py_True);
    case FLOAT:
        return write_float(output, field, value);
    case DOUBLE:
        return write_double(output, field, value);
    case ENTITY:
        return write_part(output, field->tag, field->part, value, depth);
    case ENTITIES:
        return write_parts(output, field->tag, field->part, value, depth);
    case MAP:
        return write_map(output, field->tag, value);
    default:
        return 0;
    }
}

/* Write the unknown fields, if they are unknown: the attribute may hold anything. */
static int write_unknown(Output *output, const Table *table, PyObject *unknown)
{
    if (unknown == NULL || !PyBytes_CheckExact(unknown))
        return 0;
    size_t size = (size_t)PyBytes_GET_SIZE(unknown);
    if (size == 0)
        return 1;
    if (size > MAXIMUM_SIZE || !reserve(output, size))
        return 0;
    const uint8_t *start = (const uint8_t *)PyBytes_AS_STRING(unknown);
    Span span = {start, start + size};
    while (span.at < span.end) {
        uint32_t tag;
        if (!read_tag(&span, &tag) || field_of(table, tag) != NULL || !skip_field(&span, tag))
            return 0;
    }
    output->at -= size;
    memcpy(output->at, start, size);
    return 1;
}

static int write_entity(Output *output, const Table *table, PyObject *entity, unsigned depth)
{
    if (depth > MESSAGE_DEPTH || !Py_IS_TYPE(entity, table->kind)
        || !write_unknown(output, table, *slot_at(entity, table->unknown_offset)))
        return 0;
    for (Py_ssize_t index = table->count; index-- > 0;) {
        const Field *field = &table->fields[index];
        if (!write_field(output, field, *slot_at(entity, field->offset), depth))
            return 0;
    }
    return 1;
}

PyObject *encode_entity(const Table *table, PyObject *entity)
{
    Output output;
    begin(&output);
    return finish(&output, write_entity(&output, table, entity, 0));
}

PyObject *encode_part(const Table *table, uint32_t number, PyObject *entities)
{
    Output output;
    begin(&output);
    return finish(&output, write_parts(&output, number << 3 | LENGTH_DELIMITED, table, entities, 0));
}
