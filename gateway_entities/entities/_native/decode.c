/* Bytes to entities. */

#include "codec.h"
#include "utf8.h"

#include <math.h>
#include <string.h>

#define REMEMBERED_FLOATS 1024
/* Powers of two: of a list, and of one entity. */
#define REMEMBERED_TEXTS 256
#define REMEMBERED_INTEGERS 64
#define FEW_TEXTS 32
#define FEW_INTEGERS 8
#define LONGEST_REMEMBERED 128

static PyObject *shortest_decimal;

/* The decimals of the floats that came last, by their bits. Zero is nobody's key: a zero is its own decimal. */
static struct {
    uint32_t bits;
    double decimal;
} remembered[REMEMBERED_FLOATS];

/* Texts and integers of one call that came last, by their hash: entities repeat those of others, such as the ids that they
 * refer to, and an object that is shared costs neither time nor memory. */
typedef struct {
    /* How many there are places for: powers of two; none of an entity without others inside. */
    size_t text_count;
    size_t integer_count;
    PyObject *texts[REMEMBERED_TEXTS];
    PyObject *integers[REMEMBERED_INTEGERS];
    int64_t values[REMEMBERED_INTEGERS];
} Memory;

static void begin(Memory *memory, size_t text_count, size_t integer_count)
{
    memory->text_count = text_count;
    memory->integer_count = integer_count;
    memset(memory->texts, 0, text_count * sizeof(PyObject *));
    memset(memory->integers, 0, integer_count * sizeof(PyObject *));
}

static void forget(Memory *memory)
{
    for (size_t place = 0; place < memory->text_count; place++)
        Py_XDECREF(memory->texts[place]);
    for (size_t place = 0; place < memory->integer_count; place++)
        Py_XDECREF(memory->integers[place]);
}

static inline uint64_t mixed(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/* Not against collisions: they only cost what a new text costs. */
static inline uint64_t hash_of(const uint8_t *at, size_t size)
{
    uint64_t hash = size, word;
    for (; size >= 8; at += 8, size -= 8) {
        memcpy(&word, at, 8);
        hash = mixed(hash, word);
    }
    word = 0;
    memcpy(&word, at, size);
    return mixed(hash, word);
}

void set_shortest_decimal(PyObject *function)
{
    Py_XSETREF(shortest_decimal, Py_NewRef(function));
}

int append(Pieces *pieces, const uint8_t *start, size_t size)
{
    if (size > pieces->capacity - pieces->used) {
        /* Pieces are of one message, so no sum overflows. */
        size_t capacity = 2 * (pieces->used + size);
        uint8_t *grown = PyMem_Realloc(pieces->start, capacity);
        if (grown == NULL)
            return 0;
        pieces->start = grown;
        pieces->capacity = capacity;
    }
    memcpy(pieces->start + pieces->used, start, size);
    pieces->used += size;
    return 1;
}

PyObject *joined(const Pieces *pieces)
{
    return PyBytes_FromStringAndSize((const char *)pieces->start, (Py_ssize_t)pieces->used);
}

static PyObject *read_text(Span *span, Memory *memory)
{
    Span content;
    if (!read_content(span, &content))
        return NULL;
    size_t size = (size_t)(content.end - content.at);
    /* Texts of one character are Python's own. */
    if (size < 2 || size > LONGEST_REMEMBERED || memory->text_count == 0)
        return text_of(content.at, size);
    PyObject **known = &memory->texts[hash_of(content.at, size) & (memory->text_count - 1)];
    if (*known != NULL && PyUnicode_GET_LENGTH(*known) == (Py_ssize_t)size
        && memcmp(PyUnicode_1BYTE_DATA(*known), content.at, size) == 0)
        return Py_NewRef(*known);
    PyObject *text = text_of(content.at, size);
    /* Only of these the bytes are those that were read. */
    if (text != NULL && PyUnicode_IS_COMPACT_ASCII(text))
        Py_XSETREF(*known, Py_NewRef(text));
    return text;
}

static PyObject *read_named_text(const Field *field, Span *span, Memory *memory)
{
    PyObject *text = read_text(span, memory);
    if (text == NULL)
        return NULL;
    PyObject *member = PyDict_GetItemWithError(field->members, text);
    if (member == NULL)
        return text;
    Py_INCREF(member);
    Py_DECREF(text);
    return member;
}

/* Numbers of 32 bits have more on the wire when they are negative; protobuf takes the lower half of whatever comes. */
static int32_t lower_half(uint64_t value)
{
    uint32_t half = (uint32_t)value;
    int32_t number;
    memcpy(&number, &half, sizeof number);
    return number;
}

static PyObject *enum_of(const Field *field, int32_t number)
{
    if (number >= 0 && number < PyTuple_GET_SIZE(field->members)) {
        PyObject *member = PyTuple_GET_ITEM(field->members, number);
        if (member != Py_None)
            return Py_NewRef(member);
    }
    return PyLong_FromLong(number);
}

static PyObject *integer_of(uint64_t value, Memory *memory)
{
    int64_t number;
    memcpy(&number, &value, sizeof number);
    if (memory->integer_count == 0)
        return PyLong_FromLongLong(number);
    size_t place = mixed(0, value) & (memory->integer_count - 1);
    PyObject **known = &memory->integers[place];
    if (*known != NULL && memory->values[place] == number)
        return Py_NewRef(*known);
    PyObject *integer = PyLong_FromLongLong(number);
    if (integer != NULL) {
        Py_XSETREF(*known, Py_NewRef(integer));
        memory->values[place] = number;
    }
    return integer;
}

static PyObject *read_varint_as(const Field *field, Span *span, Memory *memory)
{
    uint64_t value;
    if (!read_varint(span, &value))
        return NULL;
    switch (field->form) {
    case BOOL:
        return PyBool_FromLong(value != 0);
    case INT32:
        return PyLong_FromLong(lower_half(value));
    case ENUM:
        return enum_of(field, lower_half(value));
    default:
        return integer_of(value, memory);
    }
}

/* Whether the collector is paused by this thread, which then runs no Python code, and whether it was on before. */
static struct {
    int paused;
    int was_on;
} collector;

static void pause_collector(void)
{
    collector.paused = 1;
    collector.was_on = PyGC_Disable();
}

static void resume_collector(void)
{
    if (collector.paused && collector.was_on)
        PyGC_Enable();
    collector.paused = 0;
}

static PyObject *read_float(Span *span)
{
    const uint8_t *at = span->at;
    if (!advance(span, 4))
        return NULL;
    uint32_t bits = (uint32_t)little_endian(at, 4);
    float given;
    memcpy(&given, &bits, sizeof given);
    /* Some NaN cannot be preserved: the Python converters know which. */
    if (isnan(given))
        return NULL;
    if (given == 0 || isinf(given))
        return PyFloat_FromDouble(given);
    size_t place = (bits ^ bits >> 12 ^ bits >> 20) % REMEMBERED_FLOATS;
    if (remembered[place].bits == bits)
        return PyFloat_FromDouble(remembered[place].decimal);
    PyObject *narrowed = PyFloat_FromDouble(given);
    if (narrowed == NULL)
        return NULL;
    /* Other threads run meanwhile, and may fork: they must find the collector as they left it. */
    int paused = collector.paused;
    resume_collector();
    PyObject *decimal = PyObject_CallOneArg(shortest_decimal, narrowed);
    if (paused)
        pause_collector();
    Py_DECREF(narrowed);
    if (decimal == NULL)
        return NULL;
    if (!PyFloat_CheckExact(decimal)) {
        Py_DECREF(decimal);
        return NULL;
    }
    remembered[place].bits = bits;
    remembered[place].decimal = PyFloat_AS_DOUBLE(decimal);
    return decimal;
}

static PyObject *read_double(Span *span)
{
    const uint8_t *at = span->at;
    if (!advance(span, 8))
        return NULL;
    uint64_t bits = little_endian(at, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return PyFloat_FromDouble(value);
}

static PyObject *read_entity(const Table *table, Span span, Memory *memory, unsigned depth);

static int read_item(const Table *part, Span *span, PyObject *list, Memory *memory, unsigned depth)
{
    Span content;
    if (!read_content(span, &content))
        return 0;
    PyObject *item = read_entity(part, content, memory, depth + 1);
    if (item == NULL)
        return 0;
    int failed = PyList_Append(list, item);
    Py_DECREF(item);
    return !failed;
}

/* Read one entry of a map of texts. Protobuf's implementations differ on entries with unknown fields: hand over. */
static int read_entry(Span *span, PyObject *dict, Memory *memory)
{
    enum { KEY = 1 << 3 | LENGTH_DELIMITED, VALUE = 2 << 3 | LENGTH_DELIMITED };
    Span entry;
    PyObject *key = NULL, *value = NULL;
    int done = 0;
    if (!read_content(span, &entry))
        return 0;
    while (entry.at < entry.end) {
        uint32_t tag;
        if (!read_tag(&entry, &tag) || (tag != KEY && tag != VALUE))
            goto end;
        PyObject *text = read_text(&entry, memory);
        if (text == NULL)
            goto end;
        if (tag == KEY)
            Py_XSETREF(key, text);
        else
            Py_XSETREF(value, text);
    }
    if (key == NULL && (key = PyUnicode_FromStringAndSize(NULL, 0)) == NULL)
        goto end;
    if (value == NULL && (value = PyUnicode_FromStringAndSize(NULL, 0)) == NULL)
        goto end;
    done = PyDict_SetItem(dict, key, value) == 0;
end:
    Py_XDECREF(key);
    Py_XDECREF(value);
    return done;
}

/* Return the value of a field of which one occurrence is the whole value. */
static PyObject *read_value(const Field *field, Span *span, Memory *memory, unsigned depth)
{
    Span content;
    switch (field->form) {
    case TEXT:
        return read_text(span, memory);
    case NAMED_TEXT:
        return read_named_text(field, span, memory);
    case FLOAT:
        return read_float(span);
    case DOUBLE:
        return read_double(span);
    case ENTITY:
        return read_content(span, &content) ? read_entity(field->part, content, memory, depth + 1) : NULL;
    default:
        return read_varint_as(field, span, memory);
    }
}

static int read_field(const Field *field, Span *span, PyObject **slot, Memory *memory, unsigned depth)
{
    if (field->form == ENTITIES) {
        if (*slot == NULL && (*slot = PyList_New(0)) == NULL)
            return 0;
        return read_item(field->part, span, *slot, memory, depth);
    }
    if (field->form == MAP) {
        if (*slot == NULL && (*slot = PyDict_New()) == NULL)
            return 0;
        return read_entry(span, *slot, memory);
    }
    /* A message that comes twice is merged, which is rare: the Python converters do it. */
    if (field->form == ENTITY && *slot != NULL)
        return 0;
    PyObject *value = read_value(field, span, memory, depth);
    if (value == NULL)
        return 0;
    /* Of scalars the last one wins. */
    Py_XSETREF(*slot, value);
    return 1;
}

/* Fill the slots of absent fields; 0 if one is required. */
static int fill_absent(const Table *table, PyObject *entity)
{
    for (Py_ssize_t index = 0; index < table->count; index++) {
        const Field *field = &table->fields[index];
        PyObject **slot = slot_at(entity, field->offset);
        if (*slot != NULL)
            continue;
        if (field->form == ENTITIES)
            *slot = PyList_New(0);
        else if (field->form == MAP)
            *slot = PyDict_New();
        else if (!field->required)
            *slot = Py_NewRef(Py_None);
        if (*slot == NULL)
            return 0;
    }
    return 1;
}

static PyObject *read_entity(const Table *table, Span span, Memory *memory, unsigned depth)
{
    if (depth > MESSAGE_DEPTH)
        return NULL;
    PyObject *entity = table->kind->tp_alloc(table->kind, 0);
    if (entity == NULL)
        return NULL;
    /* Python code that runs before it is complete must not find it, and take its parts, through the collector. */
    PyObject_GC_UnTrack(entity);
    Pieces unknown = {NULL, 0, 0};
    while (span.at < span.end) {
        const uint8_t *start = span.at;
        uint32_t tag;
        if (!read_tag(&span, &tag))
            goto failed;
        const Field *field = field_of(table, tag);
        if (field != NULL) {
            if (!read_field(field, &span, slot_at(entity, field->offset), memory, depth))
                goto failed;
        } else if (!skip_field(&span, tag) || !append(&unknown, start, (size_t)(span.at - start))) {
            goto failed;
        }
    }
    if (!fill_absent(table, entity) || (*slot_at(entity, table->unknown_offset) = joined(&unknown)) == NULL)
        goto failed;
    PyMem_Free(unknown.start);
    PyObject_GC_Track(entity);
    return entity;
failed:
    PyMem_Free(unknown.start);
    Py_DECREF(entity);
    return NULL;
}

PyObject *decode_entity(const Table *table, Span span)
{
    Memory memory;
    begin(&memory, table->is_flat ? 0 : FEW_TEXTS, table->is_flat ? 0 : FEW_INTEGERS);
    PyObject *entity = read_entity(table, span, &memory, 0);
    forget(&memory);
    return entity;
}

static int read_parts(const Table *table, uint32_t number, Span span, PyObject *entities, Pieces *others)
{
    uint32_t wanted = number << 3 | LENGTH_DELIMITED;
    Memory memory;
    int done = 0;
    begin(&memory, REMEMBERED_TEXTS, REMEMBERED_INTEGERS);
    while (span.at < span.end) {
        const uint8_t *start = span.at;
        uint32_t tag;
        if (!read_tag(&span, &tag))
            goto end;
        if (tag == wanted) {
            if (!read_item(table, &span, entities, &memory, 0))
                goto end;
        } else if (!skip_field(&span, tag) || !append(others, start, (size_t)(span.at - start))) {
            goto end;
        }
    }
    done = 1;
end:
    forget(&memory);
    return done;
}

PyObject *decode_part(const Table *table, uint32_t number, Span span)
{
    PyObject *result = NULL;
    Pieces others = {NULL, 0, 0};
    PyObject *entities = PyList_New(0);
    if (entities == NULL)
        return NULL;
    /* All that is made lives on, so the collector would look at it again and again for nothing. */
    pause_collector();
    int done = read_parts(table, number, span, entities, &others);
    resume_collector();
    PyObject *rest = done ? joined(&others) : NULL;
    if (rest != NULL) {
        result = PyTuple_Pack(2, entities, rest);
        Py_DECREF(rest);
    }
    PyMem_Free(others.start);
    Py_DECREF(entities);
    return result;
}
