//! Both sides from their JSON, for unit tests.

pub(crate) mod reordering;

use std::sync::Arc;

use crate::device::DeviceFile;
use crate::domain::answer::{ResponseHead, read_page};
use crate::domain::device::Device;
use crate::domain::inspect::{Inspection, inspect};
use crate::domain::json::Text;
use crate::domain::window::{PullPath, Window};

/// The device of a device file.
pub(crate) fn device(text: &str) -> Device {
    DeviceFile::from_text("device.json", text.to_owned()).expect("a device file").device().clone()
}

/// A window of one page since cursor 100, with the head at 200, of the mutations in a JSON array.
pub(crate) fn window(mutations: &str) -> Window {
    let body = format!(r#"{{"success":true,"data":{{"lastMutationAt":200,"mutations":{mutations}}}}}"#);
    let page = read_page(&ResponseHead::ok(), &Text::new(body), 1).expect("a page");
    Window {
        path: PullPath::SinceCursor,
        since: crate::domain::mutation::Cursor::read(100),
        head: page.head,
        mutations: page.mutations,
        unreadable: page.unreadable,
        phone: page.phone,
        warnings: page.warnings,
        not_visible: Vec::new(),
    }
}

/// A device file and a window, put together.
pub(crate) fn inspection(device_file: &str, mutations: &str) -> Inspection {
    inspect(Arc::new(device(device_file)), Arc::new(window(mutations)))
}
