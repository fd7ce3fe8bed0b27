using Crust.Machines;
using Crust.Spec;

namespace Crust.Verification;

/// <summary>When an image is up, or its log-in is through: a predicate over the facts, in the order in which they come.</summary>
internal sealed class BootGoal(VerifySpec verify)
{
    private string _serial = "";
    private string _screen = "";
    private bool _sawText;

    /// <summary>What shows that the system is up, where any sign does; null while there is none.</summary>
    public UpSign? Sign { get; private set; }

    /// <summary>Whether it is reached, or can't be any more.</summary>
    public bool IsReached(MachineFacts facts)
    {
        // A fact holds only the newest text, and comes again with each other one.
        var (serial, screen) = (ReferenceEquals(facts.FreshSerial, _serial) ? "" : facts.FreshSerial, ReferenceEquals(facts.ScreenText, _screen) ? "" : facts.ScreenText);
        (_serial, _screen) = (facts.FreshSerial, facts.ScreenText);
        if (verify.TakesAnySign)
        {
            Sign ??= facts.SshBanner is { } banner ? new UpSign(UpSign.SshBanner, banner) : BootSigns.UpIn(serial) ?? BootSigns.UpIn(screen);
            return Sign is not null;
        }

        _sawText |= verify.Expect is { } expect && serial.Contains(expect, StringComparison.Ordinal);
        return verify.Ssh switch
        {
            SshProof.Banner => facts.SshBanner is not null,
            SshProof.Login => facts.SshPassed is { } passed && (!passed || verify.Expect is null || _sawText),
            _ => _sawText,
        };
    }
}
