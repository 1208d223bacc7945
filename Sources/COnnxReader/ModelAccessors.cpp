#include <google/protobuf/unknown_field_set.h>

#include "Handles.h"
#include "WireSchema.h"

using namespace sardonyx;

extern "C" {

// MARK: Model

size_t sdx_model_byte_count(const sdx_model *model) { return in(model).file.size(); }
void sdx_model_release_pages(const sdx_model *model, const void *start, size_t count) {
    in(model).file.release(start, count);
}
void sdx_model_release_all_pages(const sdx_model *model) {
    const auto &file = in(model).file;
    file.release(file.data(), file.size());
}
void sdx_model_prefetch_pages(const sdx_model *model, const void *start, size_t count) {
    in(model).file.prefetch(start, count);
}

int64_t sdx_model_ir_version(const sdx_model *model) { return in(model).model().ir_version(); }
int64_t sdx_model_version(const sdx_model *model) { return in(model).model().model_version(); }
sdx_string sdx_model_producer_name(const sdx_model *model) { return view(in(model).model().producer_name()); }
sdx_string sdx_model_producer_version(const sdx_model *model) { return view(in(model).model().producer_version()); }
sdx_string sdx_model_domain(const sdx_model *model) { return view(in(model).model().domain()); }
sdx_string sdx_model_doc(const sdx_model *model) { return view(in(model).model().doc_string()); }

size_t sdx_model_opset_count(const sdx_model *model) { return count(in(model).model().opset_import()); }
sdx_opset sdx_model_opset(const sdx_model *model, size_t index) {
    return opset(element(in(model).model().opset_import(), index));
}
size_t sdx_model_metadata_count(const sdx_model *model) { return count(in(model).model().metadata_props()); }
sdx_entry sdx_model_metadata(const sdx_model *model, size_t index) {
    return entry(element(in(model).model().metadata_props(), index));
}
size_t sdx_model_function_count(const sdx_model *model) { return in(model).functions.size(); }
const sdx_function *sdx_model_function(const sdx_model *model, size_t index) {
    return out(element(in(model).functions, index));
}
const sdx_graph *sdx_model_graph(const sdx_model *model) {
    const auto &proto = in(model).model();
    return proto.has_graph() ? out(proto.graph()) : nullptr;
}

// MARK: Graph

sdx_string sdx_graph_name(const sdx_graph *graph) { return view(in(graph).name()); }
size_t sdx_graph_node_count(const sdx_graph *graph) { return count(in(graph).node()); }
const sdx_node *sdx_graph_node(const sdx_graph *graph, size_t index) { return out(element(in(graph).node(), index)); }
size_t sdx_graph_initializer_count(const sdx_graph *graph) { return count(in(graph).initializer()); }
const sdx_tensor *sdx_graph_initializer(const sdx_graph *graph, size_t index) {
    return out(element(in(graph).initializer(), index));
}
size_t sdx_graph_sparse_initializer_count(const sdx_graph *graph) { return count(in(graph).sparse_initializer()); }
const sdx_sparse_tensor *sdx_graph_sparse_initializer(const sdx_graph *graph, size_t index) {
    return out(element(in(graph).sparse_initializer(), index));
}
size_t sdx_graph_input_count(const sdx_graph *graph) { return count(in(graph).input()); }
const sdx_value_info *sdx_graph_input(const sdx_graph *graph, size_t index) {
    return out(element(in(graph).input(), index));
}
size_t sdx_graph_output_count(const sdx_graph *graph) { return count(in(graph).output()); }
const sdx_value_info *sdx_graph_output(const sdx_graph *graph, size_t index) {
    return out(element(in(graph).output(), index));
}
size_t sdx_graph_value_info_count(const sdx_graph *graph) { return count(in(graph).value_info()); }
const sdx_value_info *sdx_graph_value_info(const sdx_graph *graph, size_t index) {
    return out(element(in(graph).value_info(), index));
}

// MARK: Function

sdx_string sdx_function_name(const sdx_function *function) { return view(in(function).proto->name()); }
sdx_string sdx_function_domain(const sdx_function *function) { return view(in(function).proto->domain()); }
sdx_string sdx_function_overload(const sdx_function *function) { return in(function).overload; }
size_t sdx_function_input_count(const sdx_function *function) { return count(in(function).proto->input()); }
sdx_string sdx_function_input(const sdx_function *function, size_t index) {
    return view(element(in(function).proto->input(), index));
}
size_t sdx_function_output_count(const sdx_function *function) { return count(in(function).proto->output()); }
sdx_string sdx_function_output(const sdx_function *function, size_t index) {
    return view(element(in(function).proto->output(), index));
}
size_t sdx_function_attribute_count(const sdx_function *function) { return count(in(function).proto->attribute()); }
sdx_string sdx_function_attribute(const sdx_function *function, size_t index) {
    return view(element(in(function).proto->attribute(), index));
}
size_t sdx_function_default_count(const sdx_function *function) { return in(function).defaults.size(); }
const sdx_attribute *sdx_function_default(const sdx_function *function, size_t index) {
    return out(*element(in(function).defaults, index));
}
size_t sdx_function_node_count(const sdx_function *function) { return count(in(function).proto->node()); }
const sdx_node *sdx_function_node(const sdx_function *function, size_t index) {
    return out(element(in(function).proto->node(), index));
}
size_t sdx_function_opset_count(const sdx_function *function) { return count(in(function).proto->opset_import()); }
sdx_opset sdx_function_opset(const sdx_function *function, size_t index) {
    return opset(element(in(function).proto->opset_import(), index));
}

// MARK: Node

sdx_string sdx_node_op_type(const sdx_node *node) { return view(in(node).op_type()); }
sdx_string sdx_node_domain(const sdx_node *node) { return view(in(node).domain()); }
sdx_string sdx_node_overload(const sdx_node *node) {
    // A node's unknown fields are its overloads alone: the last one counts, as protobuf has it.
    const auto &fields = in(node).unknown_fields();
    for (int i = fields.field_count() - 1; i >= 0; i--)
        if (fields.field(i).number() == movedNodeOverload) return view(fields.field(i).length_delimited());
    return emptyString;
}
sdx_string sdx_node_name(const sdx_node *node) { return view(in(node).name()); }
size_t sdx_node_input_count(const sdx_node *node) { return count(in(node).input()); }
sdx_string sdx_node_input(const sdx_node *node, size_t index) { return view(element(in(node).input(), index)); }
size_t sdx_node_output_count(const sdx_node *node) { return count(in(node).output()); }
sdx_string sdx_node_output(const sdx_node *node, size_t index) { return view(element(in(node).output(), index)); }
size_t sdx_node_attribute_count(const sdx_node *node) { return count(in(node).attribute()); }
const sdx_attribute *sdx_node_attribute(const sdx_node *node, size_t index) {
    return out(element(in(node).attribute(), index));
}

}  // extern "C"
