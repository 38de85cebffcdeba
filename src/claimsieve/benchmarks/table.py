"""What was measured, as Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any


def markdown(results: Mapping[str, Any]) -> str:
    """Tables of a benchmark's results: the machine, an encoder against the others, every kind, and growing files."""
    lines = [*_machine(results["machine"]), ""]
    for name, found in results.get("encoder", {}).items():
        lines += [*_against(name, found), ""]
    if results.get("kinds"):
        lines += [*_kinds(results["kinds"]), ""]
    for name, rows in results.get("scaling", {}).items():
        lines += [*_scaling(name, rows), ""]
    return "\n".join(lines).rstrip() + "\n"


def _machine(found: Mapping[str, Any]) -> Iterator[str]:
    formats = [name for name in ("amx_bfloat16", "avx512_bfloat16", "avx512_vnni") if found[name]]
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    yield f"{found['processor']}, {found['cores']} cores, {found['threads']} threads; in hardware: "
    yield f"{', '.join(formats) or 'none of bfloat16 and VNNI'}. {versions}."


def _against(name: str, found: Mapping[str, Any]) -> Iterator[str]:
    speeds = found["claims_per_second"]
    ours = speeds["claimsieve"]["median"]
    computed = found["computed"]
    yield f"**{name}**: {found['claims']:,} claims, mean {found['mean_tokens']:.1f} tokens, {computed['precision']}, "
    yield f"batches of {found['batch_tokens']:,} tokens, padding {found['padding_share']:.1%}; "
    yield f"{found['tokens_per_second']:,.0f} tokens/s, {found['share_of_matrix_rate']:.0%} of the machine's matrix "
    yield f"rate; commits {found['commit_share']:.2%} of the time; labels equal to float32 one at a time "
    yield f"{found['labels_equal_to_float32']:.2%}."
    yield ""
    yield "| | claims/s, median [least, greatest] | claimsieve is | same labels |"
    yield "|---|---|---|---|"
    for side, speed in speeds.items():
        value = f"{speed['median']:,.1f} [{speed['low']:,.1f}, {speed['high']:,.1f}]"
        same = "" if side == "claimsieve" else f"{found['labels_equal'][side]:.2%}"
        yield f"| {side} | {value} | {ours / speed['median']:.2f} x | {same} |"


def _kinds(rows: list[Mapping[str, Any]]) -> Iterator[str]:
    yield "| model | claims | rows/s file to file | a file of which half repeats costs | cold start, s |"
    yield "|---|---|---|---|---|"
    for row in rows:
        speed, start = row["claims_per_second"], row["cold_start_seconds"]
        yield (
            f"| {row['model']}: {row['kind']} ({row['data']}) | {row['claims']:,} | {speed['median']:,.0f} "
            f"[{speed['low']:,.0f}, {speed['high']:,.0f}] | {row['half_repeated_cost']:.2f} x | "
            f"{start['median']:.1f} [{start['low']:.1f}, {start['high']:.1f}] |"
        )


def _scaling(name: str, rows: list[Mapping[str, float]]) -> Iterator[str]:
    yield f"| {name}, rows | seconds | rows/s | peak memory, GB |"
    yield "|---|---|---|---|"
    for row in rows:
        rate = row["rows"] / row["seconds"]
        yield f"| {row['rows']:,} | {row['seconds']:.1f} | {rate:,.0f} | {row['peak_gigabytes']:.2f} |"
