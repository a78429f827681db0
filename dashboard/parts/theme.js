// Puts the chosen theme into Streamlit's own parameter of the address, which it reads when the page loads.

export default function ({ data }) {
  const address = new URL(window.location.href);
  const others = address.searchParams.getAll("embed_options").filter((option) => !option.endsWith("_theme"));
  const wanted = data.theme ? `${data.theme}_theme` : null;
  const current = address.searchParams.getAll("embed_options").find((option) => option.endsWith("_theme")) ?? null;
  // What the page was loaded for; on the way to another page the address loses it.
  const shown = window.ctrTheme;
  window.ctrTheme = wanted;
  if (wanted === (shown === undefined ? current : shown)) return;
  // Nothing chosen leaves alone what somebody has put into the address by hand.
  if (!wanted && shown === undefined) return;
  address.searchParams.delete("embed_options");
  for (const option of [...others, ...(wanted ? [wanted] : [])]) address.searchParams.append("embed_options", option);
  window.location.replace(address);
}
