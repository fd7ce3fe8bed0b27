namespace Crust.Spec;

/// <summary>A value that must not be seen. It prints as asterisks; only <see cref="Reveal"/> gives it away.</summary>
internal sealed class Secret(string value) : IEquatable<Secret>
{
    private readonly string _value = value;

    /// <summary>The secret itself. Each call is a place to look at when a secret has leaked.</summary>
    public string Reveal() => _value;

    /// <inheritdoc/>
    public bool Equals(Secret? other) => other is not null && other._value == _value;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Secret);

    /// <inheritdoc/>
    public override int GetHashCode() => _value.GetHashCode(StringComparison.Ordinal);

    /// <summary>Asterisks.</summary>
    public override string ToString() => "********";
}
