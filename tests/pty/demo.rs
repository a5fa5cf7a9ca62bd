//! The README's first command, through a whole resolution to the 200.

use super::terminal::Terminal;
