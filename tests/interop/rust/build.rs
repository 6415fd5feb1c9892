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

    let builder = tonic_prost_build::configure()
        .build_server(false)
        .build_transport(false)
        .btree_map(".")
        .include_file("stubs.rs");
    let (mut kinds, mut reflected) = (String::new(), String::new());
    let (mut methods, mut streams) = (String::new(), String::new());
    for file in &descriptors.file {
        let package = file.package();
        if package == "google.protobuf" {
            continue;
        }
        let module = format!("crate::stubs::{}", package.replace('.', "::"));
        for message in &file.message_type {
            let (name, full) = (message.name(), format!("{package}.{}", message.name()));
            // Without prost-reflect's derive, which would be a dozen crates more to build.
            writeln!(reflected, "reflect!({module}::{name}, {full:?});")?;
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
                let (table, result) = if method.server_streaming() {
                    (&mut streams, "Box::new(RESPONSE)")
                } else {
                    (&mut methods, "RESPONSE.encode_to_vec()")
                };
                let response = format!(
                    "{client}::new(channel).{}(request(call)?).await?.into_inner()",
                    method.name().to_snake_case()
                );
                writeln!(
                    table,
                    r#"        "/{package}.{}/{}" => {},"#,
                    service.name(),
                    method.name(),
                    result.replace("RESPONSE", &response)
                )?;
            }
        }
    }

    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("descriptors.binpb"), bytes)?;
    fs::write(
        Path::new(&out).join("table.rs"),
        format!("{reflected}\n{}", table(&kinds, &methods, &streams)),
    )?;
    builder.compile_fds(descriptors)?;
    Ok(())
}

fn table(kinds: &str, methods: &str, streams: &str) -> String {
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

async fn stream(channel: Channel, call: &Call) -> Result<Box<dyn Following>, Failure> {{
    Ok(match call.path() {{
{streams}        path => return Err(Failure::Unsupported(format!("stream {{path}}"))),
    }})
}}
"#
    )
}
