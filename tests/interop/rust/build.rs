//! Generates the stubs of the contract, and the table of messages and methods by name.
//!
//! The variable TESTEE_DESCRIPTORS names a file with the descriptors of the contract and of the testee's own protocol.

use std::{env, error::Error, fmt::Write, fs, path::Path};

use heck::ToSnakeCase;
use prost::Message;
use prost_types::FileDescriptorSet;

fn main() -> Result<(), Box<dyn Error>> {
    let file = env::var("TESTEE_DESCRIPTORS")?;
    println!("cargo:rerun-if-env-changed=TESTEE_DESCRIPTORS");
    println!("cargo:rerun-if-changed={file}");
    let bytes = fs::read(&file)?;
    let descriptors = FileDescriptorSet::decode(bytes.as_slice())?;

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
    fs::write(Path::new(&out).join("descriptors.binpb"), bytes)?;
    fs::write(Path::new(&out).join("table.rs"), table(&kinds, &methods))?;
    builder.compile_fds(descriptors)?;
    Ok(())
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
