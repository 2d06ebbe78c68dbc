// The screens of teams, loaded together when the first of them is shown.

import '../styles/team.css'

export { default as Desk } from './Desk.svelte'
export { default as Team } from './Team.svelte'
export { default as TeamSale } from './TeamSale.svelte'
