// Reads ONNX files: models, and the tensors, sequences and optionals of test data.
//
// Everything that a function returns (strings, arrays, handles) stays valid until the model, value or file that it came
// from is closed. All accessors are O(1) unless they say otherwise, allocate nothing, and may be called from several
// threads at once. An index that is out of range traps: it is a fault of the caller, never of the file.
//
// The handle structs have one meaningless byte, so that Swift sees `UnsafePointer<sdx_node>` and can tell a node from a
// graph; with incomplete types all of them would be `OpaquePointer`. Never read, copy or create one.
#ifndef SARDONYX_ONNX_READER_H
#define SARDONYX_ONNX_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sdx_model { uint8_t opaque; } sdx_model;                 // an open model; owns all that follows
typedef struct sdx_graph { uint8_t opaque; } sdx_graph;
typedef struct sdx_function { uint8_t opaque; } sdx_function;           // a model-local function
typedef struct sdx_node { uint8_t opaque; } sdx_node;
typedef struct sdx_attribute { uint8_t opaque; } sdx_attribute;
typedef struct sdx_value_info { uint8_t opaque; } sdx_value_info;       // a name and a type
typedef struct sdx_type { uint8_t opaque; } sdx_type;
typedef struct sdx_tensor { uint8_t opaque; } sdx_tensor;
typedef struct sdx_sparse_tensor { uint8_t opaque; } sdx_sparse_tensor;
typedef struct sdx_value { uint8_t opaque; } sdx_value;                 // an open test-data file; owns what is in it
typedef struct sdx_sequence { uint8_t opaque; } sdx_sequence;
typedef struct sdx_optional { uint8_t opaque; } sdx_optional;
typedef struct sdx_map { uint8_t opaque; } sdx_map;
typedef struct sdx_file { uint8_t opaque; } sdx_file;                   // a mapped file of external data

/// Bytes of a string: neither NUL-terminated for sure, nor free of NULs, nor always valid UTF-8.
typedef struct sdx_string {
    const char *_Nonnull data;
    size_t count;  // in bytes
} sdx_string;

/// A key and its value.
typedef struct sdx_entry {
    sdx_string key;
    sdx_string value;
} sdx_entry;

/// `data` may be NULL when `count` is 0.
typedef struct sdx_int64s {
    const int64_t *_Nullable data;
    size_t count;
} sdx_int64s;

/// `data` may be NULL when `count` is 0.
typedef struct sdx_floats {
    const float *_Nullable data;
    size_t count;
} sdx_floats;

/// An imported operator set. The empty domain and "ai.onnx" mean the same; both come out as the file has them.
typedef struct sdx_opset {
    sdx_string domain;
    int64_t version;
} sdx_opset;

// MARK: - Errors

typedef enum sdx_error_code {
    SDX_ERROR_NONE = 0,
    SDX_ERROR_CANNOT_OPEN = 1,    // missing, no permission, not a regular file; the message has the system's reason
    SDX_ERROR_CORRUPT = 2,        // not an ONNX protobuf, or cut short; `offset` says where
    SDX_ERROR_TOO_LARGE = 3,      // more than 2 GB beside the raw weights, or more than 16 million messages
    SDX_ERROR_TOO_DEEP = 4,       // messages nested deeper than 384 levels (a subgraph takes three)
    SDX_ERROR_OUT_OF_MEMORY = 5,
    SDX_ERROR_INTERNAL = 6,       // an unexpected C++ exception
} sdx_error_code;

typedef struct sdx_error {
    sdx_error_code code;
    int64_t offset;      // in bytes from the start of the file, -1 where there is none
    char message[244];   // NUL-terminated; from Swift read it with sdx_error_message
} sdx_error;

/// The message, NUL-terminated, valid as long as `error`.
const char *_Nonnull sdx_error_message(const sdx_error *_Nonnull error);

// MARK: - Opening and closing

typedef enum sdx_open_mode {
    SDX_OPEN_MAPPED = 0,  // weights alias the mapped file: a writer that cuts it short meanwhile raises SIGBUS
    SDX_OPEN_COPIED = 1,  // the file is read into memory: others may rewrite it
} sdx_open_mode;

/// Opens a model file. NULL on failure, and then `error` is filled.
sdx_model *_Nullable sdx_model_open(const char *_Nonnull path, sdx_open_mode mode, sdx_error *_Nullable error);

/// Opens a model from memory; the bytes are copied. NULL on failure, and then `error` is filled.
sdx_model *_Nullable sdx_model_open_memory(const void *_Nullable bytes, size_t count, sdx_error *_Nullable error);

/// Frees the model with every handle, string and weight of it. NULL is allowed.
void sdx_model_close(sdx_model *_Nullable model);

/// The file's size in bytes.
size_t sdx_model_byte_count(const sdx_model *_Nonnull model);

/// Says that the weights in this range are packed and the mapped pages can go; a later read gets them from the file
/// again. Pages that the range covers only partly stay. Ranges outside the mapping, and copied models, are left alone.
void sdx_model_release_pages(const sdx_model *_Nonnull model, const void *_Nullable start, size_t count);

/// The same for the whole file: reading a range maps pages around it too.
void sdx_model_release_all_pages(const sdx_model *_Nonnull model);

/// Asks the system to read the pages of this range ahead. Ranges outside the mapping, and copied models, are let be.
void sdx_model_prefetch_pages(const sdx_model *_Nonnull model, const void *_Nullable start, size_t count);

// MARK: - Model

/// 0 where the file gives none.
int64_t sdx_model_ir_version(const sdx_model *_Nonnull model);
/// ModelProto.model_version, the producer's own count; 0 where absent.
int64_t sdx_model_version(const sdx_model *_Nonnull model);
/// The tool that wrote the file; empty where absent, as all strings.
sdx_string sdx_model_producer_name(const sdx_model *_Nonnull model);
/// The version of that tool.
sdx_string sdx_model_producer_version(const sdx_model *_Nonnull model);
/// The model's namespace, such as "com.example".
sdx_string sdx_model_domain(const sdx_model *_Nonnull model);
/// ModelProto.doc_string.
sdx_string sdx_model_doc(const sdx_model *_Nonnull model);

/// Imported operator sets. A domain may occur twice in a bad file.
size_t sdx_model_opset_count(const sdx_model *_Nonnull model);
/// Operator set `index`.
sdx_opset sdx_model_opset(const sdx_model *_Nonnull model, size_t index);

/// Metadata, in the file's order; a key may occur twice.
size_t sdx_model_metadata_count(const sdx_model *_Nonnull model);
/// Metadata entry `index`.
sdx_entry sdx_model_metadata(const sdx_model *_Nonnull model, size_t index);

/// Model-local functions.
size_t sdx_model_function_count(const sdx_model *_Nonnull model);
/// Function `index`.
const sdx_function *_Nonnull sdx_model_function(const sdx_model *_Nonnull model, size_t index);

/// NULL where the file has no graph.
const sdx_graph *_Nullable sdx_model_graph(const sdx_model *_Nonnull model);

// MARK: - Graph

/// GraphProto.name.
sdx_string sdx_graph_name(const sdx_graph *_Nonnull graph);

/// Nodes, in the file's order: topological in a valid file, unchecked here.
size_t sdx_graph_node_count(const sdx_graph *_Nonnull graph);
/// Node `index`.
const sdx_node *_Nonnull sdx_graph_node(const sdx_graph *_Nonnull graph, size_t index);

/// Initializers: constants, or defaults of inputs of the same name.
size_t sdx_graph_initializer_count(const sdx_graph *_Nonnull graph);
/// Initializer `index`.
const sdx_tensor *_Nonnull sdx_graph_initializer(const sdx_graph *_Nonnull graph, size_t index);

/// The name of a sparse initializer is that of its values tensor.
size_t sdx_graph_sparse_initializer_count(const sdx_graph *_Nonnull graph);
/// Sparse initializer `index`.
const sdx_sparse_tensor *_Nonnull sdx_graph_sparse_initializer(const sdx_graph *_Nonnull graph, size_t index);

/// Inputs; in files before IR 4 the initializers are among them.
size_t sdx_graph_input_count(const sdx_graph *_Nonnull graph);
/// Input `index`.
const sdx_value_info *_Nonnull sdx_graph_input(const sdx_graph *_Nonnull graph, size_t index);

/// Outputs.
size_t sdx_graph_output_count(const sdx_graph *_Nonnull graph);
/// Output `index`.
const sdx_value_info *_Nonnull sdx_graph_output(const sdx_graph *_Nonnull graph, size_t index);

/// Types that the file states for values inside the graph.
size_t sdx_graph_value_info_count(const sdx_graph *_Nonnull graph);
/// Stated type `index`.
const sdx_value_info *_Nonnull sdx_graph_value_info(const sdx_graph *_Nonnull graph, size_t index);

// MARK: - Function

/// With domain and overload, what a node's op_type, domain and overload call.
sdx_string sdx_function_name(const sdx_function *_Nonnull function);
/// See sdx_function_name.
sdx_string sdx_function_domain(const sdx_function *_Nonnull function);
/// See sdx_function_name; empty in files before IR 10.
sdx_string sdx_function_overload(const sdx_function *_Nonnull function);

/// Names of inputs.
size_t sdx_function_input_count(const sdx_function *_Nonnull function);
/// Input name `index`.
sdx_string sdx_function_input(const sdx_function *_Nonnull function, size_t index);

/// Names of outputs.
size_t sdx_function_output_count(const sdx_function *_Nonnull function);
/// Output name `index`.
sdx_string sdx_function_output(const sdx_function *_Nonnull function, size_t index);

/// Names of attributes without a default.
size_t sdx_function_attribute_count(const sdx_function *_Nonnull function);
/// Attribute name `index`.
sdx_string sdx_function_attribute(const sdx_function *_Nonnull function, size_t index);

/// Attributes with a default: the attribute's value is the default.
size_t sdx_function_default_count(const sdx_function *_Nonnull function);
/// Default `index`.
const sdx_attribute *_Nonnull sdx_function_default(const sdx_function *_Nonnull function, size_t index);

/// Nodes of the body.
size_t sdx_function_node_count(const sdx_function *_Nonnull function);
/// Node `index` of the body.
const sdx_node *_Nonnull sdx_function_node(const sdx_function *_Nonnull function, size_t index);

/// Operator sets that the body imports.
size_t sdx_function_opset_count(const sdx_function *_Nonnull function);
/// Operator set `index`.
sdx_opset sdx_function_opset(const sdx_function *_Nonnull function, size_t index);

// MARK: - Node

/// The operator's name.
sdx_string sdx_node_op_type(const sdx_node *_Nonnull node);
/// The operator's domain, as the file has it.
sdx_string sdx_node_domain(const sdx_node *_Nonnull node);
/// Which overload of a function is called; mostly empty.
sdx_string sdx_node_overload(const sdx_node *_Nonnull node);
/// The node's name: may be empty, need not be unique.
sdx_string sdx_node_name(const sdx_node *_Nonnull node);

/// An empty name is an optional input left out.
size_t sdx_node_input_count(const sdx_node *_Nonnull node);
/// Input name `index`.
sdx_string sdx_node_input(const sdx_node *_Nonnull node, size_t index);

/// An empty name is an optional output left out.
size_t sdx_node_output_count(const sdx_node *_Nonnull node);
/// Output name `index`.
sdx_string sdx_node_output(const sdx_node *_Nonnull node, size_t index);

/// Attributes.
size_t sdx_node_attribute_count(const sdx_node *_Nonnull node);
/// Attribute `index`.
const sdx_attribute *_Nonnull sdx_node_attribute(const sdx_node *_Nonnull node, size_t index);

// MARK: - Attribute

/// The numbers of AttributeProto.AttributeType.
typedef enum sdx_attribute_type {
    SDX_ATTRIBUTE_UNDEFINED = 0,
    SDX_ATTRIBUTE_FLOAT = 1,
    SDX_ATTRIBUTE_INT = 2,
    SDX_ATTRIBUTE_STRING = 3,
    SDX_ATTRIBUTE_TENSOR = 4,
    SDX_ATTRIBUTE_GRAPH = 5,
    SDX_ATTRIBUTE_FLOATS = 6,
    SDX_ATTRIBUTE_INTS = 7,
    SDX_ATTRIBUTE_STRINGS = 8,
    SDX_ATTRIBUTE_TENSORS = 9,
    SDX_ATTRIBUTE_GRAPHS = 10,
    SDX_ATTRIBUTE_SPARSE_TENSOR = 11,
    SDX_ATTRIBUTE_SPARSE_TENSORS = 12,
    SDX_ATTRIBUTE_TYPE = 13,
    SDX_ATTRIBUTE_TYPES = 14,
} sdx_attribute_type;

/// The attribute's name.
sdx_string sdx_attribute_name(const sdx_attribute *_Nonnull attribute);

/// The name of the function's attribute whose value this one takes; empty where the value is given here.
sdx_string sdx_attribute_reference(const sdx_attribute *_Nonnull attribute);

/// An sdx_attribute_type, or a number that only a newer ONNX knows. Very old files give none: then it is that of the
/// first filled field, and SDX_ATTRIBUTE_UNDEFINED where no field is filled (an empty list, or a reference).
int32_t sdx_attribute_type_number(const sdx_attribute *_Nonnull attribute);

/// Whether the field of the given type is filled, whatever the stated type. False for empty lists.
bool sdx_attribute_has(const sdx_attribute *_Nonnull attribute, sdx_attribute_type type);

// Fields that are not filled give 0, empty, NULL or a count of 0.
/// f.
float sdx_attribute_float(const sdx_attribute *_Nonnull attribute);
/// i.
int64_t sdx_attribute_int(const sdx_attribute *_Nonnull attribute);
/// s: bytes.
sdx_string sdx_attribute_string(const sdx_attribute *_Nonnull attribute);
/// t.
const sdx_tensor *_Nullable sdx_attribute_tensor(const sdx_attribute *_Nonnull attribute);
/// g.
const sdx_graph *_Nullable sdx_attribute_graph(const sdx_attribute *_Nonnull attribute);
/// sparse_tensor.
const sdx_sparse_tensor *_Nullable sdx_attribute_sparse_tensor(const sdx_attribute *_Nonnull attribute);
/// tp.
const sdx_type *_Nullable sdx_attribute_value_type(const sdx_attribute *_Nonnull attribute);

/// floats.
sdx_floats sdx_attribute_floats(const sdx_attribute *_Nonnull attribute);
/// ints.
sdx_int64s sdx_attribute_ints(const sdx_attribute *_Nonnull attribute);

/// How many elements the list of the given type has. 0 for the types that are no lists.
size_t sdx_attribute_count(const sdx_attribute *_Nonnull attribute, sdx_attribute_type type);
/// Element `index` of strings.
sdx_string sdx_attribute_string_at(const sdx_attribute *_Nonnull attribute, size_t index);
/// Element `index` of tensors.
const sdx_tensor *_Nonnull sdx_attribute_tensor_at(const sdx_attribute *_Nonnull attribute, size_t index);
/// Element `index` of graphs.
const sdx_graph *_Nonnull sdx_attribute_graph_at(const sdx_attribute *_Nonnull attribute, size_t index);
/// Element `index` of sparse_tensors.
const sdx_sparse_tensor *_Nonnull sdx_attribute_sparse_tensor_at(const sdx_attribute *_Nonnull attribute, size_t index);
/// Element `index` of type_protos.
const sdx_type *_Nonnull sdx_attribute_value_type_at(const sdx_attribute *_Nonnull attribute, size_t index);

// MARK: - Value info and type

/// The value's name.
sdx_string sdx_value_info_name(const sdx_value_info *_Nonnull info);

/// NULL where the file states no type.
const sdx_type *_Nullable sdx_value_info_type(const sdx_value_info *_Nonnull info);

typedef enum sdx_type_kind {
    SDX_TYPE_NONE = 0,
    SDX_TYPE_TENSOR = 1,
    SDX_TYPE_SEQUENCE = 2,
    SDX_TYPE_MAP = 3,
    SDX_TYPE_OPTIONAL = 4,
    SDX_TYPE_SPARSE_TENSOR = 5,
    SDX_TYPE_OPAQUE = 6,
} sdx_type_kind;

/// Which kind of type it is; SDX_TYPE_NONE where the file leaves it open.
sdx_type_kind sdx_type_get_kind(const sdx_type *_Nonnull type);
/// Such as "IMAGE"; mostly empty.
sdx_string sdx_type_denotation(const sdx_type *_Nonnull type);

/// TensorProto.DataType of a tensor's or sparse tensor's elements; 0 for other kinds.
int32_t sdx_type_elem_type(const sdx_type *_Nonnull type);

/// Whether a tensor or sparse tensor states its rank: true with 0 dimensions is a scalar, false an unknown rank.
bool sdx_type_has_shape(const sdx_type *_Nonnull type);

typedef enum sdx_dim_kind {
    SDX_DIM_UNKNOWN = 0,
    SDX_DIM_VALUE = 1,
    SDX_DIM_PARAM = 2,
} sdx_dim_kind;

typedef struct sdx_dim {
    sdx_dim_kind kind;
    int64_t value;          // as in the file: may be negative
    sdx_string param;       // may be empty
    sdx_string denotation;  // such as DATA_BATCH; mostly empty
} sdx_dim;

/// Number of dimensions; 0 without a shape.
size_t sdx_type_dim_count(const sdx_type *_Nonnull type);
/// Dimension `index`.
sdx_dim sdx_type_dim(const sdx_type *_Nonnull type, size_t index);

/// Type of the elements of a sequence, of what an optional holds, of a map's values. NULL where absent.
const sdx_type *_Nullable sdx_type_element(const sdx_type *_Nonnull type);

/// TensorProto.DataType of a map's keys; 0 for other kinds.
int32_t sdx_type_map_key_type(const sdx_type *_Nonnull type);

/// Domain and name of an opaque type; empty for other kinds.
sdx_string sdx_type_opaque_domain(const sdx_type *_Nonnull type);
/// See sdx_type_opaque_domain.
sdx_string sdx_type_opaque_name(const sdx_type *_Nonnull type);

// MARK: - Tensor

/// The tensor's name; empty in most attributes.
sdx_string sdx_tensor_name(const sdx_tensor *_Nonnull tensor);

/// TensorProto.DataType; numbers that only a newer ONNX knows come out as they are.
int32_t sdx_tensor_data_type(const sdx_tensor *_Nonnull tensor);

/// Dimensions as in the file: nobody has checked their signs, their product, or that the data have as many elements.
sdx_int64s sdx_tensor_dims(const sdx_tensor *_Nonnull tensor);

/// Whether the tensor is one chunk of a larger one (no known exporter writes these).
bool sdx_tensor_is_segment(const sdx_tensor *_Nonnull tensor);

/// Where a tensor's elements are. Names are those of TensorProto's fields.
typedef enum sdx_data_kind {
    SDX_DATA_NONE = 0,
    SDX_DATA_RAW = 1,       // little-endian bytes inside the file: no alignment at all
    SDX_DATA_FLOAT = 2,     // float: FLOAT, COMPLEX64 (real and imaginary by turns)
    SDX_DATA_INT32 = 3,     // int32_t: the small types; float16, bfloat16, float8 and packed 4-bit ones as bits
    SDX_DATA_INT64 = 4,     // int64_t: INT64
    SDX_DATA_STRING = 5,    // read them with sdx_tensor_string
    SDX_DATA_DOUBLE = 6,    // double: DOUBLE, COMPLEX128
    SDX_DATA_UINT64 = 7,    // uint64_t: UINT32, UINT64
    SDX_DATA_EXTERNAL = 8,  // another file: sdx_tensor_external
} sdx_data_kind;

typedef struct sdx_tensor_data {
    sdx_data_kind kind;
    const void *_Nullable data;  // NULL for strings, external data, none, and where count is 0
    size_t count;                // elements of the C type above; bytes for SDX_DATA_RAW; strings for SDX_DATA_STRING
} sdx_tensor_data;

/// External where data_location says so; else raw; else the field that the data type prescribes; else, where that is
/// empty, another filled field: compare the kind with the data type before reading. Raw bytes stay aliased to the file.
sdx_tensor_data sdx_tensor_get_data(const sdx_tensor *_Nonnull tensor);

/// Element `index` of a SDX_DATA_STRING tensor.
sdx_string sdx_tensor_string(const sdx_tensor *_Nonnull tensor, size_t index);

/// Keys "location", "offset", "length", "checksum", unchecked strings in the file's order.
size_t sdx_tensor_external_count(const sdx_tensor *_Nonnull tensor);
/// Entry `index` of external_data.
sdx_entry sdx_tensor_external(const sdx_tensor *_Nonnull tensor, size_t index);

// MARK: - Sparse tensor

/// The non-zero values, one dimension. Its name names the sparse tensor. NULL where absent.
const sdx_tensor *_Nullable sdx_sparse_tensor_values(const sdx_sparse_tensor *_Nonnull sparse);

/// int64 indices: one linear index a value, or one row of coordinates a value. NULL where absent.
const sdx_tensor *_Nullable sdx_sparse_tensor_indices(const sdx_sparse_tensor *_Nonnull sparse);

/// Shape of the dense tensor, unchecked.
sdx_int64s sdx_sparse_tensor_dims(const sdx_sparse_tensor *_Nonnull sparse);

#ifdef __cplusplus
}
#endif

#include "COnnxReaderFiles.h"

#endif
