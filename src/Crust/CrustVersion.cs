using System.Reflection;

namespace Crust;

internal static class CrustVersion
{
    /// <summary>As `major.minor.patch`, with the commit behind a plus where the build knew it.</summary>
    public static string Current { get; } =
        typeof(CrustVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
