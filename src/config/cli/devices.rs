//! The arguments of `devices`, as typed. The help texts are those of the manual page too.

use clap::{Args, ValueEnum};

use super::Condition;

/// The arguments of `devices`.
#[derive(Args, Debug)]
pub struct Devices {
    #[arg(value_name = "FILTER", help = "Select devices by terms, for example: org:acme state:failing left:<20%")]
    pub filter: Vec<String>,
    /// Print the number of devices in each group instead of the devices
    #[arg(long, value_name = "GROUP")]
    pub by: Option<DeviceGroup>,
    /// Print devices in this order
    #[arg(long, value_name = "ORDER", default_value = "runway", conflicts_with = "by")]
    pub sort: DeviceOrder,
    /// Invert the order; devices of which the value is not known stay last
    #[arg(long, conflicts_with = "by")]
    pub reverse: bool,
    /// Exit with 5 if the number of selected devices matches, for example '>0', '>=10', '=0'
    #[arg(long, value_name = "CONDITION")]
    pub fail_if: Option<Condition>,
    /// Exit with 1 if a printed number is not exact
    #[arg(long)]
    pub exact: bool,
}

/// What `devices --by` groups by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum DeviceGroup {
    /// The time left, in days
    Bucket,
    /// The place in the certificate's life
    Phase,
    /// How the device stands
    State,
    Org,
    /// No devices: when renewals begin, in shares of the life left, as learned from the devices
    Policy,
}

/// The orders of devices.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum DeviceOrder {
    /// Least time left first, the longest expired before all
    Runway,
    /// Next to expire first, then the expired, the latest first
    Dark,
    /// Fewest tries left before the expiry first
    Tries,
    /// Most failures first
    Fails,
    /// Oldest success first
    LastSuccess,
    Org,
    Device,
}
