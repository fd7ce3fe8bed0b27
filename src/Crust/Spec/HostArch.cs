using System.Runtime.InteropServices;

namespace Crust.Spec;

internal static class HostArch
{
    /// <summary>The host's own, null if it is none that Crust knows.</summary>
    public static Arch? Current { get; } = RuntimeInformation.OSArchitecture switch
    {
        Architecture.X64 => Arch.Amd64,
        Architecture.Arm64 => Arch.Arm64,
        _ => null,
    };
}
