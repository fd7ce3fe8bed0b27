namespace Crust.Cli;

/// <summary>Crust's exit codes; scripts depend on them.</summary>
internal enum ExitCode
{
    Done = 0,
    Bug = 1,
    BadInput = FailureKind.BadInput,
    HostLacks = FailureKind.HostLacks,
    GuestFailed = FailureKind.GuestFailed,
    InputOutput = FailureKind.InputOutput,
    Cancelled = 130,
}
