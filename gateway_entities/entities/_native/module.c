/* The module: which tables there are, and the functions that Python calls. */

#include "codec.h"

/* Changes with what Python passes to these functions: `__init__.py` has the same number. A module that was compiled in place
 * from older sources is then left alone. */
#define INTERFACE 2

/* By class: its table; None until it is made. */
static PyObject *tables;
/* Returns the table of a class; None if it has none. */
static PyObject *make_table;
/* Returns whether what converts a class is what it had when it was registered. */
static PyObject *is_original;

/* Return None: the Python converters take over. What is no error of the value, such as an interrupt, is raised. */
static PyObject *handed_over(void)
{
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_Exception))
            return NULL;
        PyErr_Clear();
    }
    Py_RETURN_NONE;
}

/* Return whether a class is converted as it was registered, not by a function that somebody put in place of its own.
 * Python gives a class another version after a change of one of its attributes, or of those of its bases. */
static int is_unchanged(PyTypeObject *kind, unsigned int *version)
{
    if (*version != 0 && *version == kind->tp_version_tag)
        return 1;
    /* A class without a version gets one when an attribute is looked up. */
    PyObject *message = PyObject_GetAttrString((PyObject *)kind, "_message");
    Py_XDECREF(message);
    unsigned int current = kind->tp_version_tag;
    PyObject *answer = message == NULL ? NULL : PyObject_CallOneArg(is_original, (PyObject *)kind);
    Py_XDECREF(answer);
    if (answer != Py_True)
        return 0;
    *version = current;
    return 1;
}

/* Return the table of a class, borrowed: it is never replaced. NULL if there is none (yet). */
static Table *known_table(PyObject *kind, PyObject **found)
{
    *found = PyDict_GetItemWithError(tables, kind);
    return *found != NULL && Py_IS_TYPE(*found, table_type) ? (Table *)*found : NULL;
}

/* Make the table of a class on its first use. */
static Table *made_table(PyObject *kind)
{
    unsigned int version = 0;
    if (make_table == NULL || !is_unchanged((PyTypeObject *)kind, &version))
        return NULL;
    PyObject *found, *made = PyObject_CallOneArg(make_table, kind);
    if (made == NULL)
        return NULL;
    /* Another thread may have made it meanwhile, and may be using it. */
    Table *table = known_table(kind, &found);
    if (table == NULL && found != NULL) {
        if (!Py_IS_TYPE(made, table_type) || ((Table *)made)->kind != (PyTypeObject *)kind)
            PyDict_DelItem(tables, kind);
        else if (PyDict_SetItem(tables, kind, made) == 0)
            table = (Table *)made;
    }
    Py_DECREF(made);
    return table;
}

/* Return the table of a class with which entities of it are converted now; NULL if the Python converters must. */
static const Table *table_of(PyObject *kind)
{
    /* By a metaclass of their own other classes may be equal to one of these. */
    if (!PyType_Check(kind) || Py_TYPE(kind)->tp_hash != PyType_Type.tp_hash
        || Py_TYPE(kind)->tp_richcompare != PyType_Type.tp_richcompare)
        return NULL;
    PyObject *found;
    Table *table = known_table(kind, &found);
    if (table == NULL && (found == NULL || (table = made_table(kind)) == NULL))
        return NULL;
    for (Py_ssize_t index = 0; index < table->class_count; index++)
        if (!is_unchanged(table->classes[index]->kind, &table->classes[index]->version))
            return NULL;
    return table;
}

static int span_of(PyObject *data, Span *span)
{
    if (!PyBytes_CheckExact(data) || PyBytes_GET_SIZE(data) > MAXIMUM_SIZE)
        return 0;
    span->at = (const uint8_t *)PyBytes_AS_STRING(data);
    span->end = span->at + PyBytes_GET_SIZE(data);
    return 1;
}

static int takes(Py_ssize_t count, Py_ssize_t wanted)
{
    if (count != wanted)
        PyErr_Format(PyExc_TypeError, "takes %zd arguments", wanted);
    return count == wanted;
}

static PyObject *decode(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    if (!takes(count, 2))
        return NULL;
    Span span;
    const Table *table = span_of(arguments[1], &span) ? table_of(arguments[0]) : NULL;
    PyObject *entity = table == NULL ? NULL : decode_entity(table, span);
    return entity != NULL ? entity : handed_over();
}

static PyObject *encode(PyObject *Py_UNUSED(module), PyObject *entity)
{
    const Table *table = table_of((PyObject *)Py_TYPE(entity));
    PyObject *bytes = table == NULL ? NULL : encode_entity(table, entity);
    return bytes != NULL ? bytes : handed_over();
}

/* Read the number of a field; 0 with an exception if it is none. */
static uint32_t field_number(PyObject *given)
{
    unsigned long number = PyLong_AsUnsignedLong(given);
    if (number >= 1 && number < 1u << 29)
        return (uint32_t)number;
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "not the number of a field");
    return 0;
}

static PyObject *decode_in(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    uint32_t number;
    if (!takes(count, 3) || !(number = field_number(arguments[1])))
        return NULL;
    Span span;
    const Table *table = span_of(arguments[2], &span) ? table_of(arguments[0]) : NULL;
    PyObject *parts = table == NULL ? NULL : decode_part(table, number, span);
    return parts != NULL ? parts : handed_over();
}

static PyObject *encode_in(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    uint32_t number;
    if (!takes(count, 3) || !(number = field_number(arguments[1])))
        return NULL;
    const Table *table = table_of(arguments[0]);
    PyObject *bytes = table == NULL ? NULL : encode_part(table, number, arguments[2]);
    return bytes != NULL ? bytes : handed_over();
}

static PyObject *set_up(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    if (!takes(count, 3))
        return NULL;
    Py_XSETREF(make_table, Py_NewRef(arguments[0]));
    Py_XSETREF(is_original, Py_NewRef(arguments[1]));
    set_shortest_decimal(arguments[2]);
    Py_RETURN_NONE;
}

static PyObject *register_kind(PyObject *Py_UNUSED(module), PyObject *kind)
{
    if (!PyType_Check(kind)) {
        PyErr_SetString(PyExc_TypeError, "not a class");
        return NULL;
    }
    if (PyDict_SetDefault(tables, kind, Py_None) == NULL)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"decode", (PyCFunction)(void (*)(void))decode, METH_FASTCALL,
     "decode(kind, data): the entity, or None if the Python converters must decide."},
    {"encode", encode, METH_O, "encode(entity): the canonical bytes, or None if the Python converters must decide."},
    {"decode_in", (PyCFunction)(void (*)(void))decode_in, METH_FASTCALL,
     "decode_in(kind, number, data): the entities in one field of a message, and its other bytes; or None."},
    {"encode_in", (PyCFunction)(void (*)(void))encode_in, METH_FASTCALL,
     "encode_in(kind, number, entities): the entities as one field of a message; or None."},
    {"set_up", (PyCFunction)(void (*)(void))set_up, METH_FASTCALL,
     "set_up(make_table, is_original, shortest_decimal): set the functions that the codec calls."},
    {"register", register_kind, METH_O, "register(kind): have the entities of a class, whose table is made on first use."},
    {NULL, NULL, 0, NULL},
};

static int execute(PyObject *module)
{
    /* The tables are the process's, and nobody has tested more. */
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError, "the native codec is for the main interpreter");
        return -1;
    }
    if (tables == NULL && (tables = PyDict_New()) == NULL)
        return -1;
    if (table_type == NULL && (table_type = new_table_type(module)) == NULL)
        return -1;
    if (PyModule_AddStringConstant(module, "SOURCES", SOURCES) < 0
        || PyModule_AddIntConstant(module, "INTERFACE", INTERFACE) < 0)
        return -1;
    return PyModule_AddObjectRef(module, "Table", (PyObject *)table_type);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_codec",
    .m_doc = "Entities to and from bytes.",
    .m_size = 0,
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__codec(void)
{
    return PyModuleDef_Init(&definition);
}
