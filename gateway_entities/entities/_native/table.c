/* Tables, made by tables.py from the descriptors of a message and the slots of its dataclass. */

#include "codec.h"

#include <structmember.h>

PyTypeObject *table_type;

static uint32_t wire_type(Form form)
{
    switch (form) {
    case INT32:
    case INT64:
    case BOOL:
    case ENUM:
        return VARINT;
    case FLOAT:
        return FIXED32;
    case DOUBLE:
        return FIXED64;
    default:
        return LENGTH_DELIMITED;
    }
}

/* Return the offset of a plain slot; -1 with an exception for anything else, which could run code or not exist. */
static Py_ssize_t slot_offset(PyTypeObject *kind, PyObject *descriptor)
{
    if (Py_IS_TYPE(descriptor, &PyMemberDescr_Type) && PyType_IsSubtype(kind, PyDescr_TYPE(descriptor))) {
        const PyMemberDef *member = ((PyMemberDescrObject *)descriptor)->d_member;
        if (member->type == T_OBJECT_EX && member->flags == 0 && member->offset >= (Py_ssize_t)sizeof(PyObject)
            && member->offset + (Py_ssize_t)sizeof(PyObject *) <= kind->tp_basicsize)
            return member->offset;
    }
    PyErr_SetString(PyExc_TypeError, "not a plain slot");
    return -1;
}

static int set_members(Field *field, PyObject *kind, PyObject *members)
{
    if (field->form == ENUM || field->form == NAMED_TEXT) {
        PyTypeObject *base = field->form == ENUM ? &PyLong_Type : &PyUnicode_Type;
        if (!PyType_Check(kind) || !PyType_IsSubtype((PyTypeObject *)kind, base)
            || !(field->form == ENUM ? PyTuple_CheckExact(members) : PyDict_CheckExact(members))) {
            PyErr_SetString(PyExc_TypeError, "not an enum and its members");
            return 0;
        }
        field->kind = (PyTypeObject *)Py_NewRef(kind);
        field->members = Py_NewRef(members);
    } else if (field->form == ENTITY || field->form == ENTITIES) {
        if (!Py_IS_TYPE(kind, table_type)) {
            PyErr_SetString(PyExc_TypeError, "not a table");
            return 0;
        }
        field->part = (Table *)Py_NewRef(kind);
    }
    return 1;
}

/* Add a table and those inside it to the classes of another. */
static int add_classes(Table *table, Table *part)
{
    for (Py_ssize_t index = 0; index < part->class_count; index++) {
        Py_ssize_t place = 0;
        while (place < table->class_count && table->classes[place] != part->classes[index])
            place++;
        if (place == MOST_CLASSES) {
            PyErr_SetString(PyExc_ValueError, "too many classes inside each other");
            return 0;
        }
        table->classes[place] = part->classes[index];
        if (place == table->class_count)
            table->class_count++;
    }
    return 1;
}

static int set_field(Table *table, Field *field, PyObject *given, uint32_t previous)
{
    unsigned int number;
    int form;
    PyObject *descriptor, *kind, *members;
    if (!PyTuple_CheckExact(given)) {
        PyErr_SetString(PyExc_TypeError, "a field is a tuple");
        return 0;
    }
    if (!PyArg_ParseTuple(given, "IipOOO", &number, &form, &field->required, &descriptor, &kind, &members))
        return 0;
    if (number <= previous || number >= 1u << 29 || form < 0 || form >= FORMS) {
        PyErr_SetString(PyExc_ValueError, "fields come by number, and have a known form");
        return 0;
    }
    field->form = (Form)form;
    field->tag = number << 3 | wire_type(field->form);
    field->offset = slot_offset(table->kind, descriptor);
    return field->offset >= 0 && set_members(field, kind, members);
}

static PyObject *new_table(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    PyObject *kind, *unknown, *fields;
    if (keywords != NULL && PyDict_GET_SIZE(keywords) != 0) {
        PyErr_SetString(PyExc_TypeError, "Table takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "O!OO!", &PyType_Type, &kind, &unknown, &PyTuple_Type, &fields))
        return NULL;
    /* `direct` has positions of a byte. */
    if (PyTuple_GET_SIZE(fields) > 255 || ((PyTypeObject *)kind)->tp_itemsize != 0 || !PyType_IS_GC((PyTypeObject *)kind)) {
        PyErr_SetString(PyExc_ValueError, "too many fields, or an entity of variable size or without slots");
        return NULL;
    }
    Table *table = (Table *)type->tp_alloc(type, 0);
    if (table == NULL)
        return NULL;
    table->kind = (PyTypeObject *)Py_NewRef(kind);
    table->unknown_offset = slot_offset(table->kind, unknown);
    table->fields = PyMem_Calloc((size_t)PyTuple_GET_SIZE(fields) + 1, sizeof(Field));
    if (table->fields == NULL)
        PyErr_NoMemory();
    if (table->unknown_offset < 0 || table->fields == NULL)
        goto failed;
    uint32_t number = 0;
    table->is_flat = 1;
    /* What is inside is held by the fields. */
    table->classes[table->class_count++] = table;
    for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(fields); index++) {
        Field *field = &table->fields[index];
        /* Counted before it is complete, so that what it refers to is released. */
        table->count = index + 1;
        if (!set_field(table, field, PyTuple_GET_ITEM(fields, index), number))
            goto failed;
        number = field->tag >> 3;
        if (field->part != NULL) {
            table->is_flat = 0;
            if (!add_classes(table, field->part))
                goto failed;
        }
        if (number < DIRECT_NUMBERS)
            table->direct[number] = (uint8_t)(index + 1);
    }
    return (PyObject *)table;
failed:
    Py_DECREF(table);
    return NULL;
}

static void free_table(PyObject *self)
{
    Table *table = (Table *)self;
    PyTypeObject *type = Py_TYPE(self);
    for (Py_ssize_t index = 0; index < table->count; index++) {
        Py_XDECREF(table->fields[index].kind);
        Py_XDECREF(table->fields[index].members);
        Py_XDECREF(table->fields[index].part);
    }
    PyMem_Free(table->fields);
    Py_XDECREF(table->kind);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot slots[] = {
    {Py_tp_doc, "Table(kind, unknown_fields, fields): how one class of entities is read and written."},
    {Py_tp_new, new_table},
    {Py_tp_dealloc, free_table},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "gateway_entities.entities._native._codec.Table",
    .basicsize = sizeof(Table),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

PyTypeObject *new_table_type(PyObject *module)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}
