import Sardonyx
import SardonyxGraph

extension InspectReport {
    /// The report for other programs.
    var json: JSON {
        var entries: [(key: String, value: JSON)] = [
            ("model", .string(path)), ("producer", .string(outline.producer)), ("ir_version", .int(outline.irVersion)),
            ("opsets", .object(opsets.map { ($0.name, .int($0.version)) })),
            ("inputs", Self.ports(outline.inputs)), ("optional_inputs", Self.ports(outline.optionalInputs)),
            ("outputs", Self.ports(outline.outputs)), ("parameters", .int(outline.parameterCount)),
            ("file_bytes", .int(outline.fileByteCount)),
            ("operators", .object(operators.map { ($0.name, .int($0.count)) })),
        ]
        if !shapes.isEmpty {
            entries.append(("shapes", .object(shapes.map { ($0.name, .array($0.shape.map(JSON.int))) })))
        }
        switch state {
        case .planned(let session, let plan):
            let isExact = if case .exact = plan.peakMemory { true } else { false }
            entries += [
                ("steps", .int(plan.stepCount)), ("macs", .int(plan.multiplyAdds)),
                ("peak_memory_bytes", .int(plan.peakMemory.byteCount)), ("peak_memory_is_exact", .bool(isExact)),
                ("arena_bytes", .int(plan.arenaByteCount)), ("workspace_bytes", .int(plan.workspaceByteCount)),
                ("arena_lower_bound_bytes", .int(plan.plan.arenaLowerBound)),
                ("buffer_bytes", .int(plan.plan.bufferByteCount)), ("constant_bytes", .int(plan.constantByteCount)),
                ("packed_weight_bytes", .int(plan.packedWeightByteCount)), ("plan_hash", .string(plan.hash)),
            ]
            if explains { entries.append(("remarks", Self.remarks(session, plan))) }
        case .unplanned(let session, let error):
            entries.append(("no_plan", .string("\(error)")))
            if explains { entries.append(("remarks", Self.remarks(session, nil))) }
        case .unsupported(let error):
            entries.append(("unsupported", .array(Self.items(error).map(JSON.string))))
        }
        return .object(entries)
    }

    private static func ports(_ ports: [(name: String, type: ValueType)]) -> JSON {
        let values = ports.map { port -> JSON in
            let shape = port.type.shape?.map { $0.value.map(JSON.int) ?? .string($0.description) }
            return .object([
                ("name", .string(port.name)), ("type", .string(port.type.text)),
                ("data_type", port.type.dataType.map { .string($0.name) } ?? .null),
                ("shape", shape.map(JSON.array) ?? .null),
            ])
        }
        return .array(values)
    }

    private static func remarks(_ session: Session, _ plan: PlanSummary?) -> JSON {
        let values = (session.remarks + (plan?.plan.remarks ?? [])).map { remark in
            JSON.object([
                ("pass", .string(remark.pass)), ("node", .string(remark.node)), ("text", .string(remark.text)),
                ("applied", .bool(remark.isApplied)),
            ])
        }
        return .array(values)
    }
}
