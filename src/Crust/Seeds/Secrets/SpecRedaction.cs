using Crust.Sanitizing;
using Crust.Spec;

namespace Crust.Seeds.Secrets;

internal static class SpecRedaction
{
    /// <summary>Redacts every secret in a spec from now on, including logins in URLs and passwords among the keys that are typed.</summary>
    public static void Hide(this Redactor redactor, BuildSpec spec) =>
        redactor.Hide(SpecSecrets.In(spec).Concat(spec.Installer.Built is { } built ? SpecSecrets.In(built) : []).SelectMany(secret => secret.Values));
}
