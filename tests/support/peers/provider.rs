//! A certified identity provider: npm's `oidc-provider`, which comes into `target/` and keeps its accounts in memory.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use super::super::components::scratch;
use super::super::wait::until;
use super::port;

const PACKAGE: &str = "oidc-provider@9.13.3";

/// Its accounts are named by their logins, with a verified address at the demo's organisation; `kofi` is in the group of agents.
const SCRIPT: &str = r#"
import { Provider } from "oidc-provider";
const [port, desk] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: "ruledesk", client_secret: "a secret of some length + signs / and %",
    redirect_uris: [`${desk}/sign-in/provider/back`],
    post_logout_redirect_uris: [`${desk}/sign-in`],
    backchannel_logout_uri: `${desk}/sign-in/provider/ended`,
    backchannel_logout_session_required: true,
  }],
  pkce: { required: () => true },
  claims: { openid: ["sub"], email: ["email", "email_verified"], groups: ["groups"] },
  features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: true } },
  // Else it asks no address of this machine.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  findAccount: (ctx, id) => ({
    accountId: id,
    claims: () => ({
      sub: id, email: `${id}@meridian.example`, email_verified: true,
      groups: id === "kofi" ? ["service-desk"] : [],
    }),
  }),
});
provider.on("backchannel.error", (ctx, error) => console.error(error));
provider.listen(Number(port), "127.0.0.1");
"#;

/// The provider, for one desk, until it is dropped.
pub struct Provider {
    pub url: String,
    process: Child,
}

impl Provider {
    /// A port for a provider that is started later, when the desk's address is known.
    pub fn address() -> String {
        format!("http://127.0.0.1:{}", port::own())
    }

    /// Starts it at an address for the desk at another.
    pub fn start(url: &str, desk: &str) -> Provider {
        let port = url.rsplit(':').next().unwrap();
        let mut node = Command::new("node");
        let log = std::fs::File::create(installed().join(format!("{port}.log"))).unwrap();
        node.current_dir(installed()).args(["provider.mjs", port, desk]);
        let process = node.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let description = format!("{url}/.well-known/openid-configuration");
        until("the provider describes itself", || ureq::get(&description).call().ok());
        Provider { url: url.to_owned(), process }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn installed() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let folder = scratch().join("oidc-provider");
        std::fs::create_dir_all(&folder).unwrap();
        if !folder.join("node_modules/oidc-provider/package.json").is_file() {
            let install = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"];
            let done = Command::new("npm").args(install).arg(&folder).arg(PACKAGE).output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        }
        std::fs::write(folder.join("provider.mjs"), SCRIPT).unwrap();
        folder
    })
}
