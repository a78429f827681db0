// Puts the chosen theme into Streamlit's own parameter of the address, which it reads when the page loads.

const isTheme = (option) => option.endsWith("_theme");
const options = (address) => address.searchParams.getAll("embed_options");

export default function ({ data }) {
  const wanted = data.theme ? `${data.theme}_theme` : null;
  // What the page was loaded for: on the way to another page the address loses it.
  const loaded = new URL(performance.getEntriesByType("navigation")[0].name);
  if (wanted === (options(loaded).find(isTheme) ?? null)) return;
  // Nothing chosen leaves alone what somebody has put into the address by hand.
  if (!wanted && !loaded.searchParams.has("theme")) return;
  const address = new URL(window.location.href);
  const others = options(address).filter((option) => !isTheme(option));
  address.searchParams.delete("embed_options");
  for (const option of [...others, ...(wanted ? [wanted] : [])]) address.searchParams.append("embed_options", option);
  window.location.replace(address);
}
