//! How the pre-initialiser (`wasmtime-wizer`) looks into an instance, without an async runtime: every call here is
//! synchronous, so each future is ready when it is first asked.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wasmtime::component::{ComponentNamedList, Instance, Lift, WasmList};
use wasmtime::{AsContextMut, Store};
use wasmtime_wizer::ComponentInstanceState;

use crate::rules::run::guest::Guest;

/// An instance whose memory is being read.
pub struct Peek<'a> {
    store: &'a mut Store<Guest>,
    instance: Instance,
    failure: Option<wasmtime::Error>,
}

impl<'a> Peek<'a> {
    /// Looks into `instance`.
    pub fn new(store: &'a mut Store<Guest>, instance: Instance) -> Self {
        Self { store, instance, failure: None }
    }

    /// The first call that did not work: then the snapshot is not to be used.
    pub fn failure(&self) -> Option<&wasmtime::Error> {
        self.failure.as_ref()
    }

    fn call<R>(&mut self, interface: &str, name: &str) -> Option<R>
    where
        R: Lift + 'static,
        (R,): ComponentNamedList + Lift,
    {
        match self.try_call(interface, name) {
            Ok(result) => Some(result),
            Err(error) => {
                self.failure.get_or_insert(error);
                None
            }
        }
    }

    fn try_call<R>(&mut self, interface: &str, name: &str) -> wasmtime::Result<R>
    where
        R: Lift + 'static,
        (R,): ComponentNamedList + Lift,
    {
        let missing = || wasmtime::Error::msg(format!("no export {interface}#{name}"));
        let store = &mut *self.store;
        let at = self.instance.get_export_index(&mut *store, None, interface).ok_or_else(missing)?;
        let at = self.instance.get_export_index(&mut *store, Some(&at), name).ok_or_else(missing)?;
        let function = self.instance.get_typed_func::<(), (R,)>(&mut *store, at)?;
        Ok(function.call(store, ())?.0)
    }
}

impl ComponentInstanceState for Peek<'_> {
    async fn call_func_ret_list_u8(&mut self, instance: &str, func: &str, contents: impl FnOnce(&[u8]) + Send) {
        match self.call::<WasmList<u8>>(instance, func) {
            Some(list) => contents(list.as_le_slice(self.store.as_context_mut())),
            None => contents(&[]),
        }
    }

    async fn call_func_ret_s32(&mut self, instance: &str, func: &str) -> i32 {
        self.call(instance, func).unwrap_or_default()
    }

    async fn call_func_ret_s64(&mut self, instance: &str, func: &str) -> i64 {
        self.call(instance, func).unwrap_or_default()
    }

    async fn call_func_ret_f32(&mut self, instance: &str, func: &str) -> u32 {
        self.call::<f32>(instance, func).unwrap_or_default().to_bits()
    }

    async fn call_func_ret_f64(&mut self, instance: &str, func: &str) -> u64 {
        self.call::<f64>(instance, func).unwrap_or_default().to_bits()
    }
}

/// The result of a future that never waits; `None` if it does.
pub fn run_ready<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
