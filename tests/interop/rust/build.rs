//! Generates the stubs of the contract, and the table of messages and methods by name.

use std::{env, error::Error, fmt::Write, fs, path::Path};

use heck::ToSnakeCase;
use prost::Message;

const PROTO: &str = "../../../proto";
const PROTOCOL: &str = "../proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={PROTO}/gatewayentities");
    println!("cargo:rerun-if-changed={PROTOCOL}/testee.proto");
    let descriptors = protox::compile(contract()?, [PROTO, PROTOCOL])?;

    let mut builder = tonic_prost_build::configure()
        .build_server(false)
        .build_transport(false)
        .btree_map(".")
        .include_file("stubs.rs");
    let (mut kinds, mut methods) = (String::new(), String::new());
    for file in &descriptors.file {
        let package = file.package();
        if package == "google.protobuf" {
            continue;
        }
        let module = format!("crate::stubs::{}", package.replace('.', "::"));
        for message in &file.message_type {
            let (name, full) = (message.name(), format!("{package}.{}", message.name()));
            let attributes = format!(
                r#"#[derive(::prost_reflect::ReflectMessage)]
                #[prost_reflect(descriptor_pool = "crate::POOL", message_name = "{full}")]"#
            );
            builder = builder.message_attribute(&full, attributes);
            writeln!(
                kinds,
                r#"        "{full}" => Kind::of::<{module}::{name}>(),"#
            )?;
        }
        for service in &file.service {
            let client = format!(
                "{module}::{}_client::{}Client",
                service.name().to_snake_case(),
                service.name()
            );
            for method in &service.method {
                writeln!(
                    methods,
                    r#"        "/{package}.{}/{}" => {client}::new(channel).{}(request(call)?).await?.into_inner().encode_to_vec(),"#,
                    service.name(),
                    method.name(),
                    method.name().to_snake_case()
                )?;
            }
        }
    }

    let out = env::var("OUT_DIR")?;
    fs::write(
        Path::new(&out).join("descriptors.binpb"),
        descriptors.encode_to_vec(),
    )?;
    fs::write(Path::new(&out).join("table.rs"), table(&kinds, &methods))?;
    builder.compile_fds(descriptors)?;
    Ok(())
}

/// Returns the files of the contract, and that of the testee's own protocol.
fn contract() -> Result<Vec<String>, Box<dyn Error>> {
    let mut files = vec!["testee.proto".to_string()];
    for entry in fs::read_dir(format!("{PROTO}/gatewayentities/v1"))? {
        let name = entry?.file_name().into_string().unwrap_or_default();
        if name.ends_with(".proto") {
            files.push(format!("gatewayentities/v1/{name}"));
        }
    }
    files.sort();
    Ok(files)
}

fn table(kinds: &str, methods: &str) -> String {
    format!(
        r#"fn kind(name: &str) -> Option<Kind> {{
    Some(match name {{
{kinds}        _ => return None,
    }})
}}

async fn method(channel: Channel, call: &Call) -> Result<Vec<u8>, Failure> {{
    Ok(match call.path() {{
{methods}        path => return Err(Failure::Unsupported(format!("method {{path}}"))),
    }})
}}
"#
    )
}
