/* The native codec: entities to and from bytes by tables, with nothing generated.
 *
 * A function that returns a PyObject pointer returns NULL to hand over: the Python converters then decide, and raise the
 * error if there is one. A Python exception may be set or not; `handed_over` in module.c clears it.
 */

#ifndef GATEWAY_ENTITIES_CODEC_H
#define GATEWAY_ENTITIES_CODEC_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "wire.h"

#ifdef Py_GIL_DISABLED
#error "The codec needs the global interpreter lock."
#endif

/* Messages inside each other. The types of the contract have 4. */
#define MESSAGE_DEPTH 32
/* Protobuf's limit of a message. */
#define MAXIMUM_SIZE INT32_MAX
/* Classes inside each other. GatewayEndpoint has 5. */
#define MOST_CLASSES 16
/* Field numbers below this are found by index. */
#define DIRECT_NUMBERS 64

typedef enum { TEXT, NAMED_TEXT, INT32, INT64, BOOL, ENUM, FLOAT, DOUBLE, ENTITY, ENTITIES, MAP, FORMS } Form;

typedef struct Table Table;

typedef struct {
    uint32_t tag;
    Form form;
    int required;
    /* Of its slot in the entity. */
    Py_ssize_t offset;
    /* ENUM: the enum. NAMED_TEXT: the enum. */
    PyTypeObject *kind;
    /* ENUM: a tuple with the member of each number, None where there is none. NAMED_TEXT: a dict of the members by text. */
    PyObject *members;
    /* ENTITY and ENTITIES. */
    Table *part;
} Field;

/* How one class of entities is read and written. It is never freed: the classes live as long as the process. */
struct Table {
    PyObject_HEAD
    PyTypeObject *kind;
    /* Of the class when it was last found to be as it was registered; 0 before. */
    unsigned int version;
    /* Itself, and all that its fields have inside each other. */
    Table *classes[MOST_CLASSES];
    Py_ssize_t class_count;
    Py_ssize_t unknown_offset;
    /* By number. */
    Field *fields;
    Py_ssize_t count;
    /* Whether there are no other entities inside. */
    int is_flat;
    /* By number: the position in `fields` + 1; 0 for none. */
    uint8_t direct[DIRECT_NUMBERS];
};

extern PyTypeObject *table_type;
PyTypeObject *new_table_type(PyObject *module);

static inline PyObject **slot_at(PyObject *entity, Py_ssize_t offset)
{
    return (PyObject **)((char *)entity + offset);
}

/* Return the field of a tag; NULL for an unknown field, such as a known one in another wire type. */
static inline const Field *field_of(const Table *table, uint32_t tag)
{
    uint32_t number = tag >> 3;
    if (number < DIRECT_NUMBERS) {
        uint8_t position = table->direct[number];
        return position && table->fields[position - 1].tag == tag ? &table->fields[position - 1] : NULL;
    }
    for (Py_ssize_t index = table->count; index-- > 0;)
        if (table->fields[index].tag == tag)
            return &table->fields[index];
    return NULL;
}

/* Bytes that are collected in pieces. */
typedef struct {
    uint8_t *start;
    size_t used;
    size_t capacity;
} Pieces;

int append(Pieces *pieces, const uint8_t *start, size_t size);
PyObject *joined(const Pieces *pieces);

PyObject *decode_entity(const Table *table, Span span);
/* Decode the entities in one field of a message: a tuple of their list and of all other bytes of the message. */
PyObject *decode_part(const Table *table, uint32_t number, Span span);
PyObject *encode_entity(const Table *table, PyObject *entity);
/* Encode a list of entities as one field of a message. */
PyObject *encode_part(const Table *table, uint32_t number, PyObject *entities);
/* Set the function that returns the shortest decimal of a float. */
void set_shortest_decimal(PyObject *function);

#endif
