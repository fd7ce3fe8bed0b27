using System.Collections.Immutable;
using Crust.Formats;

namespace Crust.Verification;

/// <summary>A log-in to an image that came up, and the checks that it passed.</summary>
/// <param name="Server">What the SSH server says it is.</param>
/// <param name="Key">The fingerprint of the key with which they did; null for a password.</param>
internal sealed record LoginProof(string Server, string User, string? Key, HostKey HostKey, ImmutableArray<CheckProof> Checks)
{
    internal ManifestLogin ToManifest() => new(Server, User, Key, new ManifestHostKey(HostKey.Type, HostKey.Fingerprint),
        [.. Checks.Select(check => new ManifestCheck(check.Command, Math.Round(check.Seconds, 1), check.Output.LastOrDefault("")) { Lines = check.Output })]);
}

/// <param name="Command">The command line, without secrets.</param>
/// <param name="Output">The last lines of what it printed, clean and without secrets.</param>
internal sealed record CheckProof(string Command, double Seconds, ImmutableArray<string> Output);

/// <param name="What">What happened, as the rest of a sentence: `the check 'false' (1 of 2) exited with 1`.</param>
/// <param name="Output">The last lines of what the check printed, clean and without secrets.</param>
internal sealed record CheckFailure(string What, string Remedy, ImmutableArray<string> Output);
