using System.Collections.Immutable;

namespace Crust.Spec;

/// <summary>What an image's SSH server has to do to prove that the image is up.</summary>
public enum SshProof
{
    /// <summary>Nothing: SSH isn't used.</summary>
    None,

    /// <summary>It sends its banner.</summary>
    Banner,

    /// <summary>It lets an account in.</summary>
    Login,
}

/// <summary>Whether images are booted before they get their final names.</summary>
public enum VerifyBoot
{
    /// <summary>They are. One that fails ends the build; one that shows nothing either way before the deadline is kept, and reported as unproven.</summary>
    Auto,

    /// <summary>They are, and each has to come up.</summary>
    True,

    /// <summary>They aren't.</summary>
    False,
}

/// <summary>How images are proven before they get their final names.</summary>
internal sealed record VerifySpec
{
    // Under emulation, a Debian takes one minute and a half to its login prompt.
    private static readonly TimeSpan DefaultDeadline = TimeSpan.FromMinutes(5);

    /// <summary>Whether images are booted, and what it means that one shows nothing.</summary>
    public VerifyBoot Boot { get; init; } = VerifyBoot.Auto;

    /// <summary>The text on the serial port that proves that the image is up; null where any sign of a system that is up does.</summary>
    public string? Expect { get; init; }

    /// <summary>Whether any sign of a system that is up proves it: nothing in particular is asked for.</summary>
    public bool TakesAnySign => Expect is null && Ssh is SshProof.None;

    public SshProof Ssh { get; init; }

    /// <summary>Who logs in; set where <see cref="Ssh"/> is a log-in.</summary>
    public string? SshUser { get; init; }

    /// <summary>The file of the private key with which they do; null for the password of the seed's account.</summary>
    public string? SshKey { get; init; }

    /// <summary>Command lines that are run in the guest, in this order; each has to exit with 0.</summary>
    public ImmutableArray<string> Checks { get; init; } = [];

    /// <summary>How long an image may take to come up and to pass its checks.</summary>
    public TimeSpan Deadline { get; init; } = DefaultDeadline;

    /// <summary>What is waited for, in a few words.</summary>
    public string Describe()
    {
        var text = $"'{Expect}' on the serial port";
        return TakesAnySign ? "a login prompt, an SSH banner or cloud-init's last message" : Ssh switch
        {
            SshProof.Banner => "an SSH banner",
            SshProof.Login => $"{(Expect is null ? "" : $"{text}, ")}an SSH log-in as {SshUser} by "
                + $"{(SshKey is null ? "password" : "key")}{(Checks.Length == 0 ? "" : $", {Checks.Length} check{(Checks.Length == 1 ? "" : "s")}")}",
            _ => text,
        };
    }
}
