//! The functions of WASI 0.2 that can be called in a sandbox without files and network. Those that would need one are
//! there, because components import whole interfaces, and end the guest when they are called.

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType, Val};

use super::{Stream, Wasi, WasiStopped};
use crate::rules::run::guest::{Guest, charge};

type Cx<'a> = StoreContextMut<'a, Guest>;
type Result<T> = wasmtime::Result<T>;

/// The resources, which are told apart by their types; the handle of each says the rest.
enum Fault {}
enum Pollable {}
enum Input {}
enum Output {}
enum Terminal {}
enum Descriptor {}
enum Entries {}

/// `wasi:io/streams.stream-error`.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<Fault>),
    #[component(name = "closed")]
    Closed,
}

/// `wasi:clocks/wall-clock.datetime`.
#[derive(ComponentType, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

/// What an output stream says it takes at once, in bytes.
const WRITE_BYTES_MAX: u64 = 64 * 1024;

/// Adds all that is offered.
///
/// # Errors
///
/// Never for names that are distinct.
pub fn link(linker: &mut Linker<Guest>) -> Result<()> {
    io(linker)?;
    clocks(linker)?;
    random(linker)?;
    cli(linker)?;
    files(linker)
}

/// The guest's world, with one call counted and paid for.
fn wasi<'a>(cx: &'a mut Cx<'_>) -> Result<&'a mut Wasi> {
    wasi_with(cx, 0)
}

/// The same for a call that so many bytes cross with.
fn wasi_with<'a>(cx: &'a mut Cx<'_>, bytes: usize) -> Result<&'a mut Wasi> {
    charge(cx, bytes)?;
    let wasi = cx.data_mut().wasi();
    wasi.count_call()?;
    Ok(wasi)
}

fn resource<T: 'static>(instance: &mut LinkerInstance<'_, Guest>, name: &str) -> Result<()> {
    instance.resource(name, ResourceType::host::<T>(), |_, _| Ok(()))
}

fn io(linker: &mut Linker<Guest>) -> Result<()> {
    let mut error = linker.instance("wasi:io/error@0.2.0")?;
    resource::<Fault>(&mut error, "error")?;
    error.func_wrap("[method]error.to-debug-string", |_: Cx<'_>, (_,): (Resource<Fault>,)| Ok((String::new(),)))?;

    let mut poll = linker.instance("wasi:io/poll@0.2.0")?;
    resource::<Pollable>(&mut poll, "pollable")?;
    poll.func_wrap("[method]pollable.ready", |mut cx: Cx<'_>, (it,): (Resource<Pollable>,)| {
        let wasi = wasi(&mut cx)?;
        Ok((wasi.due_at(it.rep()) <= wasi.slept,))
    })?;
    poll.func_wrap("[method]pollable.block", |mut cx: Cx<'_>, (it,): (Resource<Pollable>,)| {
        wasi(&mut cx)?.poll(&[it.rep()]);
        Ok(())
    })?;
    poll.func_wrap("poll", |mut cx: Cx<'_>, (list,): (Vec<Resource<Pollable>>,)| {
        let handles: Vec<u32> = list.iter().map(Resource::rep).collect();
        Ok((wasi_with(&mut cx, handles.len())?.poll(&handles),))
    })?;

    let mut streams = linker.instance("wasi:io/streams@0.2.0")?;
    resource::<Input>(&mut streams, "input-stream")?;
    resource::<Output>(&mut streams, "output-stream")?;
    input_streams(&mut streams)?;
    output_streams(&mut streams)
}

/// There is one, standard input, and it is at its end.
fn input_streams(streams: &mut LinkerInstance<'_, Guest>) -> Result<()> {
    type Bytes = std::result::Result<Vec<u8>, StreamError>;
    type Count = std::result::Result<u64, StreamError>;
    for name in ["read", "blocking-read"] {
        let name = format!("[method]input-stream.{name}");
        streams.func_wrap(&name, |mut cx: Cx<'_>, (_, _): (Resource<Input>, u64)| {
            wasi(&mut cx)?;
            Ok((Bytes::Err(StreamError::Closed),))
        })?;
    }
    for name in ["skip", "blocking-skip"] {
        let name = format!("[method]input-stream.{name}");
        streams.func_wrap(&name, |mut cx: Cx<'_>, (_, _): (Resource<Input>, u64)| {
            wasi(&mut cx)?;
            Ok((Count::Err(StreamError::Closed),))
        })?;
    }
    streams.func_wrap("[method]input-stream.subscribe", |mut cx: Cx<'_>, (_,): (Resource<Input>,)| {
        wasi(&mut cx)?;
        Ok((Resource::<Pollable>::new_own(0),))
    })
}

/// There are two, standard output and standard error, and both take all that they are given.
fn output_streams(streams: &mut LinkerInstance<'_, Guest>) -> Result<()> {
    type Done = std::result::Result<(), StreamError>;
    type Count = std::result::Result<u64, StreamError>;
    streams.func_wrap("[method]output-stream.check-write", |mut cx: Cx<'_>, (_,): (Resource<Output>,)| {
        wasi(&mut cx)?;
        Ok((Count::Ok(WRITE_BYTES_MAX),))
    })?;
    for name in ["write", "blocking-write-and-flush"] {
        let name = format!("[method]output-stream.{name}");
        streams.func_wrap(&name, |mut cx: Cx<'_>, (to, bytes): (Resource<Output>, Vec<u8>)| {
            wasi_with(&mut cx, bytes.len())?;
            let to = if to.rep() == STDERR { Stream::Err } else { Stream::Out };
            cx.data_mut().print(to, &bytes);
            Ok((Done::Ok(()),))
        })?;
    }
    for name in ["flush", "blocking-flush"] {
        let name = format!("[method]output-stream.{name}");
        streams.func_wrap(&name, |mut cx: Cx<'_>, (_,): (Resource<Output>,)| {
            wasi(&mut cx)?;
            Ok((Done::Ok(()),))
        })?;
    }
    for name in ["write-zeroes", "blocking-write-zeroes-and-flush"] {
        let name = format!("[method]output-stream.{name}");
        streams.func_wrap(&name, |mut cx: Cx<'_>, (_, _): (Resource<Output>, u64)| {
            wasi(&mut cx)?;
            Ok((Done::Ok(()),))
        })?;
    }
    for name in ["splice", "blocking-splice"] {
        let name = format!("[method]output-stream.{name}");
        streams.func_wrap(&name, |mut cx: Cx<'_>, (_, _, _): (Resource<Output>, Resource<Input>, u64)| {
            wasi(&mut cx)?;
            Ok((Count::Err(StreamError::Closed),))
        })?;
    }
    streams.func_wrap("[method]output-stream.subscribe", |mut cx: Cx<'_>, (_,): (Resource<Output>,)| {
        wasi(&mut cx)?;
        Ok((Resource::<Pollable>::new_own(0),))
    })
}

fn clocks(linker: &mut Linker<Guest>) -> Result<()> {
    let mut monotonic = linker.instance("wasi:clocks/monotonic-clock@0.2.0")?;
    // Never zero: Go's runtime takes that for a broken clock.
    monotonic.func_wrap("now", |mut cx: Cx<'_>, (): ()| Ok((wasi(&mut cx)?.slept.max(1),)))?;
    monotonic.func_wrap("resolution", |mut cx: Cx<'_>, (): ()| wasi(&mut cx).map(|_| (1_u64,)))?;
    monotonic.func_wrap("subscribe-instant", |mut cx: Cx<'_>, (at,): (u64,)| {
        Ok((Resource::<Pollable>::new_own(wasi(&mut cx)?.wait_until(at)),))
    })?;
    monotonic.func_wrap("subscribe-duration", |mut cx: Cx<'_>, (nanoseconds,): (u64,)| {
        let wasi = wasi(&mut cx)?;
        let at = wasi.slept.saturating_add(nanoseconds);
        Ok((Resource::<Pollable>::new_own(wasi.wait_until(at)),))
    })?;
    let mut wall = linker.instance("wasi:clocks/wall-clock@0.2.0")?;
    wall.func_wrap("now", |mut cx: Cx<'_>, (): ()| {
        let at = wasi(&mut cx)?.at;
        let nanoseconds = u32::try_from(at % 1_000 * 1_000_000).unwrap_or(0);
        Ok((Datetime { seconds: at / 1_000, nanoseconds },))
    })?;
    wall.func_wrap("resolution", |mut cx: Cx<'_>, (): ()| {
        wasi(&mut cx)?;
        Ok((Datetime { seconds: 0, nanoseconds: 1_000_000 },))
    })
}

fn random(linker: &mut Linker<Guest>) -> Result<()> {
    for (interface, bytes, number) in [
        ("wasi:random/random@0.2.0", "get-random-bytes", "get-random-u64"),
        ("wasi:random/insecure@0.2.0", "get-insecure-random-bytes", "get-insecure-random-u64"),
    ] {
        let mut random = linker.instance(interface)?;
        random.func_wrap(bytes, |mut cx: Cx<'_>, (count,): (u64,)| {
            let bytes = usize::try_from(count).unwrap_or(usize::MAX);
            Ok((wasi_with(&mut cx, bytes)?.random_bytes(count)?,))
        })?;
        random.func_wrap(number, |mut cx: Cx<'_>, (): ()| Ok((wasi(&mut cx)?.random_u64(),)))?;
    }
    linker.instance("wasi:random/insecure-seed@0.2.0")?.func_wrap("insecure-seed", |mut cx: Cx<'_>, (): ()| {
        let wasi = wasi(&mut cx)?;
        Ok(((wasi.random_u64(), wasi.random_u64()),))
    })
}

const STDOUT: u32 = 1;
const STDERR: u32 = 2;

fn cli(linker: &mut Linker<Guest>) -> Result<()> {
    let mut environment = linker.instance("wasi:cli/environment@0.2.0")?;
    environment.func_wrap("get-environment", |_: Cx<'_>, (): ()| Ok((Vec::<(String, String)>::new(),)))?;
    environment.func_wrap("get-arguments", |_: Cx<'_>, (): ()| Ok((Vec::<String>::new(),)))?;
    environment.func_wrap("initial-cwd", |_: Cx<'_>, (): ()| Ok((None::<String>,)))?;

    let mut exit = linker.instance("wasi:cli/exit@0.2.0")?;
    exit.func_wrap("exit", |_: Cx<'_>, (status,): (std::result::Result<(), ()>,)| {
        Err::<(), _>(WasiStopped::Exited { failed: status.is_err() }.into())
    })?;
    exit.func_wrap("exit-with-code", |_: Cx<'_>, (code,): (u8,)| {
        Err::<(), _>(WasiStopped::Exited { failed: code != 0 }.into())
    })?;

    linker
        .instance("wasi:cli/stdin@0.2.0")?
        .func_wrap("get-stdin", |_: Cx<'_>, (): ()| Ok((Resource::<Input>::new_own(0),)))?;
    linker
        .instance("wasi:cli/stdout@0.2.0")?
        .func_wrap("get-stdout", |_: Cx<'_>, (): ()| Ok((Resource::<Output>::new_own(STDOUT),)))?;
    linker
        .instance("wasi:cli/stderr@0.2.0")?
        .func_wrap("get-stderr", |_: Cx<'_>, (): ()| Ok((Resource::<Output>::new_own(STDERR),)))?;
    terminals(linker)
}

/// No stream is a terminal.
fn terminals(linker: &mut Linker<Guest>) -> Result<()> {
    for side in ["input", "output"] {
        let mut instance = linker.instance(&format!("wasi:cli/terminal-{side}@0.2.0"))?;
        match side {
            "input" => resource::<(Terminal, Input)>(&mut instance, "terminal-input")?,
            _ => resource::<(Terminal, Output)>(&mut instance, "terminal-output")?,
        }
    }
    linker
        .instance("wasi:cli/terminal-stdin@0.2.0")?
        .func_wrap("get-terminal-stdin", |_: Cx<'_>, (): ()| Ok((None::<Resource<(Terminal, Input)>>,)))?;
    for stream in ["stdout", "stderr"] {
        linker
            .instance(&format!("wasi:cli/terminal-{stream}@0.2.0"))?
            .func_wrap(&format!("get-terminal-{stream}"), |_: Cx<'_>, (): ()| {
                Ok((None::<Resource<(Terminal, Output)>>,))
            })?;
    }
    Ok(())
}

/// Everything that can be done with a file; no guest ever holds one, as none is preopened.
const FILE_METHODS: [&str; 28] = [
    "[method]descriptor.advise",
    "[method]descriptor.append-via-stream",
    "[method]descriptor.create-directory-at",
    "[method]descriptor.get-flags",
    "[method]descriptor.get-type",
    "[method]descriptor.is-same-object",
    "[method]descriptor.link-at",
    "[method]descriptor.metadata-hash",
    "[method]descriptor.metadata-hash-at",
    "[method]descriptor.open-at",
    "[method]descriptor.read",
    "[method]descriptor.read-directory",
    "[method]descriptor.read-via-stream",
    "[method]descriptor.readlink-at",
    "[method]descriptor.remove-directory-at",
    "[method]descriptor.rename-at",
    "[method]descriptor.set-size",
    "[method]descriptor.set-times",
    "[method]descriptor.set-times-at",
    "[method]descriptor.stat",
    "[method]descriptor.stat-at",
    "[method]descriptor.symlink-at",
    "[method]descriptor.sync",
    "[method]descriptor.sync-data",
    "[method]descriptor.unlink-file-at",
    "[method]descriptor.write",
    "[method]descriptor.write-via-stream",
    "[method]directory-entry-stream.read-directory-entry",
];

fn files(linker: &mut Linker<Guest>) -> Result<()> {
    let mut types = linker.instance("wasi:filesystem/types@0.2.0")?;
    resource::<Descriptor>(&mut types, "descriptor")?;
    resource::<Entries>(&mut types, "directory-entry-stream")?;
    for name in FILE_METHODS {
        types.func_new(name, move |_, _, _, _| Err(WasiStopped::Absent(name).into()))?;
    }
    types.func_new("filesystem-error-code", |_, _, _, results| {
        if let Some(result) = results.first_mut() {
            *result = Val::Option(None);
        }
        Ok(())
    })?;
    linker
        .instance("wasi:filesystem/preopens@0.2.0")?
        .func_wrap("get-directories", |_: Cx<'_>, (): ()| Ok((Vec::<(Resource<Descriptor>, String)>::new(),)))
}
