// The part of COnnxReader.h about files beside the model: reference values, and external data. Include COnnxReader.h.
#ifndef SARDONYX_ONNX_READER_FILES_H
#define SARDONYX_ONNX_READER_FILES_H

#include "COnnxReader.h"

#ifdef __cplusplus
extern "C" {
#endif

// MARK: - Test data: a file that is one TensorProto, SequenceProto, …

typedef enum sdx_value_kind {
    SDX_VALUE_TENSOR = 1,
    SDX_VALUE_SPARSE_TENSOR = 2,
    SDX_VALUE_SEQUENCE = 3,
    SDX_VALUE_MAP = 4,
    SDX_VALUE_OPTIONAL = 5,
    SDX_VALUE_TYPE = 6,
} sdx_value_kind;

/// Opens a file that holds one message; the file does not say of which kind: the graph's input or output does.
/// NULL on failure, and then `error` is filled.
sdx_value *_Nullable sdx_value_open(
    const char *_Nonnull path, sdx_value_kind kind, sdx_open_mode mode, sdx_error *_Nullable error);

/// The same from memory; the bytes are copied.
sdx_value *_Nullable sdx_value_open_memory(
    const void *_Nullable bytes, size_t count, sdx_value_kind kind, sdx_error *_Nullable error);

/// Frees the value with all that is in it. NULL is allowed.
void sdx_value_close(sdx_value *_Nullable value);

// NULL unless the value was opened as that kind.
/// The value as a tensor.
const sdx_tensor *_Nullable sdx_value_tensor(const sdx_value *_Nonnull value);
/// The value as a sparse tensor.
const sdx_sparse_tensor *_Nullable sdx_value_sparse_tensor(const sdx_value *_Nonnull value);
/// The value as a sequence.
const sdx_sequence *_Nullable sdx_value_sequence(const sdx_value *_Nonnull value);
/// The value as a map.
const sdx_map *_Nullable sdx_value_map(const sdx_value *_Nonnull value);
/// The value as an optional.
const sdx_optional *_Nullable sdx_value_optional(const sdx_value *_Nonnull value);
/// The value as a type.
const sdx_type *_Nullable sdx_value_type(const sdx_value *_Nonnull value);

/// What a sequence or optional holds: the numbers of SequenceProto.DataType.
typedef enum sdx_element_kind {
    SDX_ELEMENT_UNDEFINED = 0,
    SDX_ELEMENT_TENSOR = 1,
    SDX_ELEMENT_SPARSE_TENSOR = 2,
    SDX_ELEMENT_SEQUENCE = 3,
    SDX_ELEMENT_MAP = 4,
    SDX_ELEMENT_OPTIONAL = 5,
} sdx_element_kind;

/// The sequence's name.
sdx_string sdx_sequence_name(const sdx_sequence *_Nonnull sequence);

/// An sdx_element_kind as the file states it, unchecked.
int32_t sdx_sequence_elem_type(const sdx_sequence *_Nonnull sequence);

/// How many elements of the given kind there are.
size_t sdx_sequence_count(const sdx_sequence *_Nonnull sequence, sdx_element_kind kind);
/// Tensor `index`.
const sdx_tensor *_Nonnull sdx_sequence_tensor(const sdx_sequence *_Nonnull sequence, size_t index);
/// Sparse tensor `index`.
const sdx_sparse_tensor *_Nonnull sdx_sequence_sparse_tensor(const sdx_sequence *_Nonnull sequence, size_t index);
/// Inner sequence `index`.
const sdx_sequence *_Nonnull sdx_sequence_sequence(const sdx_sequence *_Nonnull sequence, size_t index);
/// Map `index`.
const sdx_map *_Nonnull sdx_sequence_map(const sdx_sequence *_Nonnull sequence, size_t index);
/// Optional `index`.
const sdx_optional *_Nonnull sdx_sequence_optional(const sdx_sequence *_Nonnull sequence, size_t index);

/// The optional's name.
sdx_string sdx_optional_name(const sdx_optional *_Nonnull optional);

/// An sdx_element_kind as the file states it, unchecked. SDX_ELEMENT_UNDEFINED is an empty optional.
int32_t sdx_optional_elem_type(const sdx_optional *_Nonnull optional);

// NULL where the optional does not hold that.
/// The tensor it holds.
const sdx_tensor *_Nullable sdx_optional_tensor(const sdx_optional *_Nonnull optional);
/// The sparse tensor it holds.
const sdx_sparse_tensor *_Nullable sdx_optional_sparse_tensor(const sdx_optional *_Nonnull optional);
/// The sequence it holds.
const sdx_sequence *_Nullable sdx_optional_sequence(const sdx_optional *_Nonnull optional);
/// The map it holds.
const sdx_map *_Nullable sdx_optional_map(const sdx_optional *_Nonnull optional);
/// The optional it holds.
const sdx_optional *_Nullable sdx_optional_optional(const sdx_optional *_Nonnull optional);

/// The map's name.
sdx_string sdx_map_name(const sdx_map *_Nonnull map);

/// TensorProto.DataType of the keys.
int32_t sdx_map_key_type(const sdx_map *_Nonnull map);

/// Keys of integer maps; empty for string maps.
sdx_int64s sdx_map_keys(const sdx_map *_Nonnull map);

/// Keys of string maps.
size_t sdx_map_string_key_count(const sdx_map *_Nonnull map);
/// String key `index`.
sdx_string sdx_map_string_key(const sdx_map *_Nonnull map, size_t index);

/// Values in the keys' order. NULL where absent.
const sdx_sequence *_Nullable sdx_map_values(const sdx_map *_Nonnull map);

// MARK: - Files of external data

/// Maps a whole file read-only. It must be a regular file; an empty one has 0 bytes. The caller checks first that the
/// path is one it may open; a symbolic link as the last component is refused where `follow_links` is false.
sdx_file *_Nullable sdx_file_open(
    const char *_Nonnull path, sdx_open_mode mode, bool follow_links, sdx_error *_Nullable error);

/// Unmaps the file. NULL is allowed.
void sdx_file_close(sdx_file *_Nullable file);

/// Page-aligned. NULL for an empty file.
const void *_Nullable sdx_file_bytes(const sdx_file *_Nonnull file);
/// The file's size in bytes.
size_t sdx_file_byte_count(const sdx_file *_Nonnull file);

/// As sdx_model_release_pages.
void sdx_file_release_pages(const sdx_file *_Nonnull file, const void *_Nullable start, size_t count);
/// As sdx_model_prefetch_pages.
void sdx_file_prefetch_pages(const sdx_file *_Nonnull file, const void *_Nullable start, size_t count);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif
