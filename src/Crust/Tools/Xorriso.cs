namespace Crust.Tools;

/// <summary>What all calls of xorriso have in common.</summary>
internal static class Xorriso
{
    public static ToolCommand Of(params IEnumerable<string> arguments) => ToolCommand.Of("xorriso", arguments);

    /// <summary>A file and its path in the ISO, for `-graft-points`.</summary>
    public static string Graft(string inIso, string onHost) => $"{Escape(inIso)}={Escape(onHost)}";

    private static string Escape(string path) => path.Replace("\\", "\\\\").Replace("=", "\\=");
}
