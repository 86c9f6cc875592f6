import type { ComponentChildren } from 'preact';

/** A titled part of the page; `aside` stands at the right of the title. */
export function Card(props: {
  id: string;
  title: string;
  done?: boolean;
  aside?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <section class="card" aria-labelledby={`${props.id}-title`} id={props.id}>
      <div class="card-head">
        <h2 id={`${props.id}-title`} data-done={props.done}>
          {props.title}
        </h2>
        {props.aside}
      </div>
      {props.children}
    </section>
  );
}
