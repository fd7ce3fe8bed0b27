namespace Crust.Storage;

/// <summary>Files with mode 0600, since they may hold secrets.</summary>
internal static class PrivateFile
{
    /// <summary>Writes a file that only this user can read, in place of what was there.</summary>
    public static void Write(string path, string text)
    {
        using var file = new StreamWriter(Create(path));
        file.Write(text);
    }

    /// <summary>Creates a file that only this user can read, in place of what was there.</summary>
    public static FileStream Create(string path)
    {
        File.Delete(path);
        return WholeFile.CreatePrivate(path);
    }
}
