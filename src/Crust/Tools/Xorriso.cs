namespace Crust.Tools;

/// <summary>What all calls of xorriso have in common.</summary>
internal static class Xorriso
{
    /// <summary>A call for which file names are UTF-8, whatever the user's locale is.</summary>
    public static ToolCommand Of(params IEnumerable<string> arguments)
    {
        var command = ToolCommand.Of("xorriso", arguments);
        return command with { Environment = command.Environment.Add("LC_ALL", "C.UTF-8") };
    }

    /// <summary>A file and its path in the ISO, for `-graft-points`.</summary>
    public static string Graft(string inIso, string onHost) => $"{Escape(inIso)}={Escape(onHost)}";

    private static string Escape(string path) => path.Replace("\\", "\\\\").Replace("=", "\\=");
}
