//! The operator: the user of the system who types the command, as the audit names them.

use std::fs;

use rustix::process::getuid;

use crate::cli::Failure;
use crate::desk::id::OperatorName;

/// Linux keeps here the user who logged in, also after they became another one by `sudo` or `su`.
const LOGIN_UID: &str = "/proc/self/loginuid";
/// The login of a process that no login began, such as a service.
const NO_LOGIN: u32 = u32::MAX;
/// The users that this machine knows by itself, one a line: `name:password:uid:...` (passwd(5)).
const USERS: &str = "/etc/passwd";

/// The user who logged in, or who the process runs as where no login began it. Variables of the environment, which a user can
/// set at will, are not asked.
///
/// # Errors
///
/// Never on a system whose user ids are numbers.
pub fn name() -> Result<OperatorName, Failure> {
    let login = fs::read_to_string(LOGIN_UID).ok().and_then(|text| text.trim().parse().ok());
    let uid = login.filter(|uid| *uid != NO_LOGIN).unwrap_or_else(|| getuid().as_raw());
    let users = fs::read_to_string(USERS).unwrap_or_default();
    named(&users, uid)
}

/// The name of a user; a user whom the machine does not know by itself, or whose name no audit can keep, goes by the number.
fn named(users: &str, uid: u32) -> Result<OperatorName, Failure> {
    let of_line = |line: &str| {
        let mut parts = line.split(':');
        let (name, number) = (parts.next()?, parts.nth(1)?);
        (number.parse() == Ok(uid)).then(|| name.parse().ok())?
    };
    match users.lines().find_map(of_line) {
        Some(name) => Ok(name),
        None => Ok(format!("uid-{uid}").parse()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_goes_by_name_or_by_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\nbad name:x:7:7::/:/bin/sh\nkiwi:x:1000:1000::/home/kiwi:/bin/sh\n";
        let name = |uid| named(users, uid).unwrap().to_string();
        assert_eq!([name(0), name(1000), name(7), name(12)], ["root", "kiwi", "uid-7", "uid-12"]);
    }
}
