// What is kept between visits (local) or until the tab is closed (tab). Where storage is forbidden it is kept until the page is left.

function shelf(open) {
  const memory = new Map();
  return {
    get(key) {
      try {
        return open().getItem("lxmert." + key) ?? memory.get(key) ?? null;
      } catch {
        return memory.get(key) ?? null;
      }
    },
    set(key, value) {
      memory.set(key, value);
      try {
        open().setItem("lxmert." + key, value);
      } catch {
        // memory has it
      }
    },
    remove(key) {
      memory.delete(key);
      try {
        open().removeItem("lxmert." + key);
      } catch {
        // there is nothing then
      }
    },
  };
}

export const local = shelf(() => localStorage);
export const tab = shelf(() => sessionStorage);
