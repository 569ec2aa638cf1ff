/// The RMI calls that edit a realm's table.
package enum RealmCall: Hashable, CaseIterable, Sendable {
  case createTable, fold, destroyTable, createData, destroyData, setState

  /// Its name in the RMM specification.
  var name: String {
    switch self {
    case .createTable: "RMI_RTT_CREATE"
    case .fold: "RMI_RTT_FOLD"
    case .destroyTable: "RMI_RTT_DESTROY"
    case .createData: "RMI_DATA_CREATE_UNKNOWN"
    case .destroyData: "RMI_DATA_DESTROY"
    case .setState: "RMI_RTT_SET_RIPAS"
    }
  }

  /// Its handler in TF-RMM.
  var function: String {
    switch self {
    case .createTable: "smc_rtt_create"
    case .fold: "smc_rtt_fold"
    case .destroyTable: "smc_rtt_destroy"
    case .createData: "smc_data_create_unknown"
    case .destroyData: "smc_data_destroy"
    case .setState: "smc_rtt_set_ripas"
    }
  }

  /// What it does to an entry, as a sentence.
  var meaning: String {
    switch self {
    case .createTable: "The entry points to an RTT."
    case .fold: "One entry says what all entries of the RTT said."
    case .destroyTable: "The RTT is taken out, and with it what the RMM knew of its addresses."
    case .createData: "The page is the realm's at this address, for CPUs and devices alike."
    case .destroyData: "The page is taken out for CPUs and devices alike."
    case .setState: "The realm asked for it, and the host has the RMM set it."
    }
  }
}
