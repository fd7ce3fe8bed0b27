using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Crust.Formats;

/// <summary>A log-in to an image that was booted, as the manifest has it.</summary>
/// <param name="Server">What the SSH server says it is.</param>
/// <param name="User">The account that logged in.</param>
/// <param name="Key">The fingerprint of the key with which it did, as `ssh-keygen -l` prints it; null for a password.</param>
/// <param name="HostKey">The host key of that boot; each boot of a system that makes its own has another.</param>
/// <param name="Checks">The checks that it passed, in their order.</param>
internal sealed record ManifestLogin(string Server, string User, string? Key, ManifestHostKey HostKey, ImmutableArray<ManifestCheck> Checks);

/// <summary>An SSH server's host key.</summary>
/// <param name="Type">The algorithm that was agreed on: `ssh-ed25519`.</param>
/// <param name="Fingerprint">As `ssh-keygen -l` prints it.</param>
internal sealed record ManifestHostKey(string Type, string Fingerprint);

/// <summary>A check that an image passed: a command line that exited with 0.</summary>
/// <param name="Command">The command line, without secrets.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Output">The last line that it printed; empty if it printed nothing.</param>
internal sealed record ManifestCheck(string Command, double Seconds, string Output)
{
    /// <summary>More of its last lines, for the report of the build that ran it.</summary>
    [JsonIgnore]
    public ImmutableArray<string> Lines { get; init; } = [];
}
