// Reads each message of standard input under two schemas with protobuf-es, and prints both readings.
import { createFileRegistry, fromBinary, fromJsonString } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { readFileSync } from "node:fs";

const bytes = (text) => Buffer.from(text, "base64");

const shown = (key, value) => {
  if (key === "$unknown" || key === "$typeName") return undefined;
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return [...value];
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
};

for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const { schemas, type, data, json } = JSON.parse(line);
  const readings = schemas.map((schema) => {
    const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes(schema)));
    const message = registry.getMessage(type);
    try {
      const options = { ignoreUnknownFields: true, registry };
      const read = json === null ? fromBinary(message, bytes(data)) : fromJsonString(message, json, options);
      return { read: JSON.stringify(read, shown) + (read.$unknown ?? []).map((field) => field.no) };
    } catch (error) {
      return { error: String(error) };
    }
  });
  console.log(JSON.stringify(readings));
}
