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

/// <summary>How images are proven before they get their final names.</summary>
internal sealed record VerifySpec
{
    /// <summary>Whether each image is booted; null for yes with the reference installer and no with a vendor's.</summary>
    public bool? Boot { get; init; }

    /// <summary>The text on the serial port that proves that the image is up.</summary>
    public string Expect { get; init; } = "login:";

    /// <summary>Whether a log-in isn't enough, and <see cref="Expect"/> has to be seen, too.</summary>
    public bool LoginNeedsText { get; init; }

    public SshProof Ssh { get; init; }

    /// <summary>Who logs in; set where <see cref="Ssh"/> is a log-in.</summary>
    public string? SshUser { get; init; }

    /// <summary>The file of the private key with which they do; null for the password of the seed's account.</summary>
    public string? SshKey { get; init; }

    /// <summary>Command lines that are run in the guest, in this order; each has to exit with 0.</summary>
    public ImmutableArray<string> Checks { get; init; } = [];

    /// <summary>How long an image may take to come up and to pass its checks.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>What is waited for, in a few words.</summary>
    public string Describe()
    {
        var text = $"'{Expect}' on the serial port";
        return Ssh switch
        {
            SshProof.Banner => "an SSH banner",
            SshProof.Login => $"{(LoginNeedsText ? $"{text}, " : "")}an SSH log-in as {SshUser} by "
                + $"{(SshKey is null ? "password" : "key")}{(Checks.Length == 0 ? "" : $", {Checks.Length} check{(Checks.Length == 1 ? "" : "s")}")}",
            _ => text,
        };
    }
}
